import type { Clock, Log } from '#service/mod.ts';
import { type CodedPicture, H264Encoder } from '../encoder/mod.ts';
import { type PictureFault, spoilPicture } from '../picture_fault.ts';
import type { CameraPose, Light, StreetRenderer } from '../scene.ts';
import { type Actor, sceneAt } from '../script/mod.ts';
import { diceOf } from '../street/mod.ts';

/** A stream that was drawn and coded once: as many cameras as have this view play it, at no cost but that of sending. */
export interface Reel {
  fps: number;
  /** The first pictures, of the time before the script begins: played over and over until then. */
  prologue: number;
  /** All of them, in order; the first one and one each second are key pictures. */
  units: readonly CodedPicture[];
}

export interface ReelPlan {
  renderer: StreetRenderer;
  street: Parameters<StreetRenderer['render']>[0]['street'];
  pose: CameraPose;
  actors: readonly Actor[];
  /** Of the script, ms. */
  lightAt(atMs: number): Light;
  fps: number;
  /** From this moment of the script on; its beginning where not given. */
  fromMs?: number;
  durationMs: number;
  /** What is wrong with every picture. */
  spoilt?: PictureFault;
}

const PROLOGUE_S = 4;
/** A picture that is not coded after so long: ffmpeg has ended. Nobody waits for it in its own time. */
const CODED_MS_MAX = 60_000;

/** Draws and codes a script, or a part of it, after a prologue of `PROLOGUE_S` in which its first moment stands still. Throws GEWU_MISSING_PROGRAM without ffmpeg. */
export async function recordReel(plan: ReelPlan, { log, clock }: { log: Log; clock: Clock }): Promise<Reel> {
  const { renderer, street, pose, actors, lightAt, fps, fromMs = 0, durationMs, spoilt } = plan;
  const { next } = diceOf(street.seed, Math.round(fromMs), 173);
  const units: CodedPicture[] = [];
  let coded: () => void = () => undefined;
  const encoder = new H264Encoder({
    config: { widthPx: pose.widthPx, heightPx: pose.heightPx, fps, hungMs: CODED_MS_MAX },
    log,
    clock,
    onUnit: ({ nals, key }) => {
      units.push({ nals, key });
      coded();
    },
  });
  await encoder.start();
  try {
    const prologue = Math.round(PROLOGUE_S * fps);
    const pictures = prologue + Math.ceil((durationMs * fps) / 1000);
    for (let n = 0; n < pictures; n++) {
      const atMs = ((n - prologue) * 1000) / fps;
      const scriptMs = fromMs + Math.max(0, atMs);
      const light = lightAt(scriptMs);
      const objects = sceneAt({ street, light, actors }, scriptMs);
      const { rgba } = renderer.render({ street, light, objects, ts: Math.round(fromMs + atMs) });
      if (spoilt !== undefined) spoilPicture(rgba, pose.widthPx, spoilt, next);
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error('ffmpeg codes no pictures')), CODED_MS_MAX);
        coded = () => {
          clearTimeout(late);
          resolve();
        };
        encoder.encode(rgba, 0);
      });
    }
    return { fps, prologue, units };
  } finally {
    await encoder.stop();
  }
}
