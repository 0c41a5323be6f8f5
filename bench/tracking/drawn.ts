import { groundOf, InferencePool, openModel } from '#edge/vision/mod.ts';
import type { SiteCamera } from '#grid/mod.ts';
import { type Detection, type LoadedModel, PictureFit } from '#models/mod.ts';
import { silentLog } from '#service/mod.ts';
import {
  type CameraPose,
  calibrationPoints,
  createStreetRenderer,
  type Picture,
  type Scene,
  type StreetScript,
  sceneAt,
  type TruthBox,
} from '#simulators/cameras/mod.ts';

/** A street with what happens on it, and the camera that sees it. */
export interface DrawnView {
  id: string;
  pose: CameraPose;
  script: StreetScript;
}

/** One moment of it: what there was to see, in fractions of the picture, and what the detector says, in its input's pixels. */
export interface DrawnMoment {
  atMs: number;
  truth: readonly TruthBox[];
  detections: readonly Detection[];
}

interface Frame {
  input: ArrayBuffer;
  done(detections: Detection[]): void;
  failed(error: Error): void;
}

/** The real detector on drawn streets, as fast as it goes: no stream and no clock in between, so that a run repeats exactly. */
export class DrawnStreets {
  readonly model: LoadedModel;
  readonly #pool: InferencePool;

  private constructor(model: LoadedModel, pool: InferencePool) {
    this.model = model;
    this.#pool = pool;
  }

  static async open(modelDir: string, workers: number): Promise<DrawnStreets> {
    const model = await openModel(modelDir);
    const pool = new InferencePool({ model, workers, log: silentLog });
    await pool.start();
    return new DrawnStreets(model, pool);
  }

  async close(): Promise<void> {
    await this.#pool.stop();
  }

  /** Draws and looks at the view at these times of its script, ms: while one picture is looked at, the next one is drawn. */
  async look({ pose, script }: DrawnView, timesMs: readonly number[]): Promise<DrawnMoment[]> {
    const renderer = createStreetRenderer(script.street, pose);
    const lane = this.#pool.lane<Frame>({
      onDone: (frame, detections) => frame.done(detections),
      onDropped: (frame, reason) => frame.failed(new Error(`a picture was ${reason}`)),
    });
    const fit = new PictureFit(pose, this.model.manifest.input);
    const moments: DrawnMoment[] = [];
    let answered: Promise<unknown> = Promise.resolve();
    for (const atMs of timesMs) {
      const picture = renderer.render(momentOf(script, atMs));
      const input = fit.fit(picture.rgba).slice().buffer;
      const truth = picture.truth.map((t) => ({ ...t, box: fractions(t.box, picture) }));
      // One at a time: a lane drops what waits for what comes after it.
      await answered;
      answered = new Promise<Detection[]>((done, failed) => lane.offer({ input, done, failed })).then((detections) =>
        moments.push({ atMs, truth, detections }),
      );
    }
    await answered;
    return moments;
  }
}

/** All that a script shows at that time. */
export function momentOf(script: StreetScript, atMs: number): Scene {
  return { street: script.street, light: script.light, objects: sceneAt(script, atMs), ts: atMs };
}

/** The camera of a view, calibrated as its installer would, with these zones. */
export function cameraOfView({ id, pose, script }: DrawnView, zones: SiteCamera['zones']) {
  const points = calibrationPoints(pose, createStreetRenderer(script.street, pose));
  const camera = { id, lon: pose.lon, lat: pose.lat, zones, calibration: { points } };
  return { camera, ground: groundOf(camera) };
}

function fractions([left, top, right, bottom]: TruthBox['box'], { widthPx, heightPx }: Picture): TruthBox['box'] {
  return [left / widthPx, top / heightPx, right / widthPx, bottom / heightPx];
}
