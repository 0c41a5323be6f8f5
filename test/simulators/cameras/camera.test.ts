import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLog, systemClock } from '#service/mod.ts';
import {
  type CameraPose,
  calibrationPoints,
  createStreetRenderer,
  type Picture,
  SimulatedCamera,
  type SimulatedCameraConfig,
  type Street,
  type StreetRenderer,
  type StreetScript,
  stageIncident,
  truthOf,
} from '#simulators/cameras/mod.ts';
import { tempDir } from '../../support/temp.ts';
import { until } from '../../support/until.ts';
import { type DecodedFrame, FfmpegClient, PASSWORD, startServer } from './rtsp_support.ts';

const street: Street = {
  seed: 5,
  originLon: 116.39,
  originLat: 39.9,
  roadHeadingDeg: 0,
  roadWidthM: 9,
  pavementWidthM: 4,
  roadOffsetM: 0,
};
const light = { daylight: 1, rain: 0, sunHeadingDeg: 140, shadow: 0.5 };
const pose: CameraPose = {
  lon: 116.39,
  lat: 39.9,
  heightM: 6,
  headingDeg: 10,
  pitchDeg: 28,
  hfovDeg: 70,
  widthPx: 320,
  heightPx: 192,
};
const SIZE = { widthPx: pose.widthPx, heightPx: pose.heightPx };

const BITS = 16;
const BLOCK_PX = 20;
const PATCH = [30, 60, 200] as const;

/** Draws the number of the picture as black and white blocks over a patch of known colour, and notes when. */
class TimeCode implements Pick<StreetRenderer, 'pose' | 'project' | 'render'> {
  readonly pose: CameraPose;
  readonly drawnAtMs: number[] = [];
  #fails = 0;
  constructor(pose: CameraPose) {
    this.pose = pose;
  }
  project(): null {
    return null;
  }
  failNext(times: number): void {
    this.#fails = times;
  }
  render(): Picture {
    if (this.#fails-- > 0) throw new Error('cannot draw this');
    const { widthPx, heightPx } = this.pose;
    const number = this.drawnAtMs.push(systemClock.monotonic()) - 1;
    const rgba = new Uint8Array(widthPx * heightPx * 4).fill(255);
    for (let i = 0; i < widthPx * heightPx; i++) {
      const [x, y] = [i % widthPx, Math.floor(i / widthPx)];
      const bit = y < BLOCK_PX ? Math.floor(x / BLOCK_PX) : -1;
      const white = bit >= 0 && bit < BITS && (number >> bit) & 1 ? 255 : 0;
      rgba.set(bit >= 0 ? [white, white, white] : PATCH, i * 4);
    }
    return { widthPx, heightPx, rgba, truth: [] };
  }
}

/** Number of the picture that a decoded frame shows. */
function numberOf({ rgb }: DecodedFrame): number {
  let number = 0;
  for (let bit = 0; bit < BITS; bit++) {
    const at = ((BLOCK_PX / 2) * pose.widthPx + bit * BLOCK_PX + BLOCK_PX / 2) * 3;
    if ((rgb[at] ?? 0) > 128) number |= 1 << bit;
  }
  return number;
}

function patchOf({ rgb }: DecodedFrame): number[] {
  const at = (140 * pose.widthPx + 160) * 3;
  return [...rgb.subarray(at, at + 3)];
}

async function startCamera(config: Partial<SimulatedCameraConfig> = {}, tls?: { cert: string; key: string }) {
  const server = await startServer(tls === undefined ? {} : { tls });
  const renderer = new TimeCode(pose);
  const script: StreetScript = { street, light, actors: [] };
  const camera = new SimulatedCamera({
    config: { id: 'cam-01', pose, script, fps: 10, mount: '/cam-01', ...PASSWORD, ...config },
    server,
    createRenderer: () => renderer,
    log: silentLog,
    clock: systemClock,
  });
  onTestFinished(() => camera.stop());
  await camera.start();
  return { server, camera, renderer };
}

describe('a simulated camera, seen by ffmpeg', () => {
  it('shows what was drawn, in order, under a second after it was drawn, to two clients at once', async () => {
    const { camera, renderer } = await startCamera();
    const clients = [new FfmpegClient(camera.url, SIZE), new FfmpegClient(camera.url, SIZE)];
    await Promise.all(clients.map((c) => c.next(12)));
    for (const { frames } of clients) {
      const numbers = frames.map(numberOf);
      expect(numbers).toEqual(numbers.map((_, i) => (numbers[0] as number) + i));
      for (const frame of frames)
        expect(Math.max(...patchOf(frame).map((v, i) => Math.abs(v - (PATCH[i] as number))))).toBeLessThan(12);
      const latencyMs = frames.slice(-5).map((f) => f.atMs - (renderer.drawnAtMs[numberOf(f)] as number));
      expect(Math.max(...latencyMs)).toBeLessThan(1000);
    }
    const { drawn, skippedLate, encoder } = camera.stats;
    expect(encoder.unitsOut).toBeGreaterThanOrEqual(drawn - 1);
    expect(skippedLate).toBeLessThan(10);
  });

  it('keeps its rate without drift', async () => {
    const { renderer } = await startCamera({ fps: 20 });
    await until(() => renderer.drawnAtMs.length >= 30, { what: '30 pictures' });
    // Every picture falls on its own beat of 50 ms since the first: lateness does not add up.
    const [first = 0, ...rest] = renderer.drawnAtMs.slice(5);
    const offBeat = rest.map((at) => (at - first) % 50).map((late) => Math.min(late, 50 - late));
    expect(offBeat.sort((a, b) => a - b)[Math.floor(offBeat.length / 2)]).toBeLessThan(12);
  });

  it('refuses a wrong password', async () => {
    const { camera } = await startCamera();
    const client = new FfmpegClient(camera.url, { ...SIZE, login: { ...PASSWORD, password: 'guess' } });
    await until(() => client.exitCode !== null, { what: 'the end of ffmpeg' });
    expect(client.stderr).toContain('401 Unauthorized');
    expect(client.frames).toEqual([]);
  });

  it('serves rtsps with a certificate', async () => {
    const dir = await tempDir();
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
    const ask = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=127.0.0.1'];
    execFileSync('openssl', [...ask, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const { camera } = await startCamera({}, { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') });
    expect(camera.url).toMatch(/^rtsps:/);
    expect(isPatch(await new FfmpegClient(camera.url, SIZE).next())).toBe(true);
  });

  it('gives a late joiner the present within 1.5 s', async () => {
    const { camera, renderer } = await startCamera({ fps: 5 });
    await until(() => renderer.drawnAtMs.length >= 8, { what: 'some pictures' });
    const [joinedMs, oldest] = [systemClock.monotonic(), renderer.drawnAtMs.length - 5];
    const frame = await new FfmpegClient(camera.url, SIZE).next();
    expect(frame.atMs - joinedMs).toBeLessThan(1500);
    expect(numberOf(frame)).toBeGreaterThanOrEqual(oldest);
  });

  it('freezes and comes back on the same connection, with pictures of the present', async () => {
    const { camera, renderer } = await startCamera();
    const client = new FfmpegClient(camera.url, SIZE);
    await client.next(2);
    camera.setFault({ kind: 'freeze' });
    const frozenAt = renderer.drawnAtMs.length;
    await until(() => renderer.drawnAtMs.length >= frozenAt + 8, { what: 'pictures drawn meanwhile' });
    expect(numberOf(client.frames.at(-1) as DecodedFrame)).toBeLessThanOrEqual(frozenAt);
    camera.setFault(null);
    const restoredAt = renderer.drawnAtMs.length;
    await until(() => numberOf(client.frames.at(-1) as DecodedFrame) >= restoredAt, { what: 'pictures of the present' });
    const missing = client.frames.map(numberOf).filter((n) => n > frozenAt && n < restoredAt - 1);
    expect(missing).toEqual([]);
    expect(client.exitCode).toBe(null);
  });

  it('is cut: the client ends, others are refused, and after it all is well', async () => {
    const { camera } = await startCamera();
    const client = new FfmpegClient(camera.url, SIZE);
    await client.next();
    camera.setFault({ kind: 'cut' });
    await until(() => client.exitCode !== null, { what: 'the end of ffmpeg' });
    const refused = new FfmpegClient(camera.url, SIZE);
    await until(() => refused.exitCode !== null, { what: 'the end of the second ffmpeg' });
    expect(refused.frames).toEqual([]);
    camera.setFault(null);
    await new FfmpegClient(camera.url, SIZE).next();
  });

  it('is corrupt: the decoder complains, and after it pictures are whole again', async () => {
    const { camera, renderer } = await startCamera();
    const client = new FfmpegClient(camera.url, SIZE);
    await client.next();
    camera.setFault({ kind: 'corrupt', probability: 0.7 });
    await until(() => /error|corrupt|invalid|conceal|overread|negative/i.test(client.stderr), {
      what: 'complaints of the decoder',
    });
    camera.setFault(null);
    const restoredAt = renderer.drawnAtMs.length;
    const isWhole = (f: DecodedFrame | undefined, i: number) =>
      f !== undefined && isPatch(f) && numberOf(f) === restoredAt + 10 + i;
    await until(
      () => {
        const from = client.frames.findIndex((f) => numberOf(f) === restoredAt + 10 && isPatch(f));
        return from >= 0 && Array.from({ length: 8 }, (_, i) => client.frames[from + i]).every(isWhole);
      },
      { what: 'eight whole pictures in a row' },
    );
  });

  it('is half open: no answer, no media, no end; and after it media again', async () => {
    const { camera, renderer } = await startCamera();
    const client = new FfmpegClient(camera.url, SIZE);
    await client.next();
    camera.setFault({ kind: 'halfOpen' });
    const late = new FfmpegClient(camera.url, SIZE);
    const from = renderer.drawnAtMs.length;
    await until(() => renderer.drawnAtMs.length >= from + 10, { what: 'pictures drawn meanwhile' });
    expect(numberOf(client.frames.at(-1) as DecodedFrame)).toBeLessThanOrEqual(from);
    expect([late.frames.length, client.exitCode, late.exitCode]).toEqual([0, null, null]);
    camera.setFault(null);
    await Promise.all([client.next(), late.next()]);
  });

  it('goes on when its ffmpeg is killed and when a scene cannot be drawn', async () => {
    const { camera, renderer } = await startCamera();
    const client = new FfmpegClient(camera.url, SIZE);
    await client.next();
    const pid = camera.stats.encoder.pid as number;
    process.kill(pid, 'SIGKILL');
    renderer.failNext(2);
    await until(() => camera.stats.drawErrors === 2 && camera.stats.encoder.pid !== pid && camera.stats.encoder.pid, {
      what: 'another encoder',
    });
    const from = renderer.drawnAtMs.length;
    await until(async () => numberOf(await client.next()) > from, { what: 'new pictures' });
    expect(client.exitCode).toBe(null);
  });

  it('leaves neither process nor mount behind', async () => {
    const { server, camera } = await startCamera();
    const pid = camera.stats.encoder.pid as number;
    await camera.stop();
    await camera.stop();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(() => server.setFault('/cam-01', null)).toThrow('no mount');
    await camera.start();
    await new FfmpegClient(camera.url, SIZE).next();
  });
});

function isPatch(frame: DecodedFrame): boolean {
  return patchOf(frame).every((v, i) => Math.abs(v - (PATCH[i] as number)) < 12);
}

describe('over the drawn street', () => {
  const plan = { id: 'p1', class: 'ponding', place: { alongM: 12, acrossM: 1 }, fromMs: 0, standsMs: 600_000, seed: 2 } as const;
  const script: StreetScript = { street, light, actors: [stageIncident(street, plan)] };

  it('shows the incident where its truth says', async () => {
    const server = await startServer();
    const deps = { server, createRenderer: createStreetRenderer, log: silentLog, clock: systemClock };
    const config = { id: 'cam-01', pose, fps: 5, mount: '/cam-01', ...PASSWORD, scriptStartsAt: systemClock.now() - 10_000 };
    const withIt = new SimulatedCamera({ ...deps, config: { ...config, script } });
    const without = new SimulatedCamera({ ...deps, config: { ...config, mount: '/cam-02', script: { ...script, actors: [] } } });
    for (const camera of [withIt, without]) {
      onTestFinished(() => camera.stop());
      await camera.start();
    }
    const [seen, empty] = await Promise.all([withIt, without].map((c) => new FfmpegClient(c.url, SIZE).next(3)));
    const [truth] = truthOf(script);
    const at = createStreetRenderer(street, pose).project(truth?.lon ?? 0, truth?.lat ?? 0);
    /** Mean difference of a square of 7 pixels, levels. */
    const difference = (xPx: number, yPx: number) => {
      let sum = 0;
      for (let y = Math.round(yPx) - 3; y <= Math.round(yPx) + 3; y++)
        for (let i = (y * pose.widthPx + Math.round(xPx) - 3) * 3; i < (y * pose.widthPx + Math.round(xPx) + 4) * 3; i++)
          sum += Math.abs((seen?.rgb[i] ?? 0) - (empty?.rgb[i] ?? 0));
      return sum / (49 * 3);
    };
    expect(difference(at?.xPx ?? 0, at?.yPx ?? 0)).toBeGreaterThan(12);
    expect(difference(20, 180)).toBeLessThan(6);
  });

  it.each([
    { pitchDeg: 15, hfovDeg: 55, heightM: 4.5 },
    { pitchDeg: 28, hfovDeg: 70, heightM: 6 },
    { pitchDeg: 40, hfovDeg: 85, heightM: 9 },
    { pitchDeg: 33, hfovDeg: 62, heightM: 5, headingDeg: 222 },
  ])('gives six calibration points that are exact, in the picture and no three in a line: %j', (change) => {
    const seen = { ...pose, lon: 116.3904, lat: 39.8997, ...change };
    const renderer = createStreetRenderer(street, seen);
    const points = calibrationPoints(seen, renderer);
    expect(points).toHaveLength(6);
    for (const p of points) {
      expect(Math.min(p.x, p.y, 1 - p.x, 1 - p.y)).toBeGreaterThan(0.01);
      const at = renderer.project(p.lon, p.lat);
      expect([at?.xPx, at?.yPx]).toEqual([expect.closeTo(p.x * seen.widthPx, 9), expect.closeTo(p.y * seen.heightPx, 9)]);
    }
    for (const [i, a] of points.entries())
      for (const [j, b] of points.entries())
        for (const c of points.slice(j + 1))
          if (j > i) expect(Math.abs((b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y))).toBeGreaterThan(0.02);
  });

  it('refuses to calibrate a camera that sees the sky', () => {
    const seen = { ...pose, pitchDeg: -40 };
    expect(() => calibrationPoints(seen, createStreetRenderer(street, seen))).toThrow('enough ground');
  });
});
