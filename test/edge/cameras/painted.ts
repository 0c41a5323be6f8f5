import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { silentLog, systemClock } from '#service/mod.ts';
import { H264Encoder, RtspServer } from '#simulators/cameras/mod.ts';

export const WIDTH_PX = 320;
export const HEIGHT_PX = 180;

/** A camera at the end of a real RTSP address whose picture the test paints: grey with a little noise, or none. */
export interface PaintedCamera {
  url: string;
  server: RtspServer;
  /** Grey level of the next pictures. */
  grey: number;
  /** The same picture over and over, to the last bit. */
  still: boolean;
}

export const PATH = '/cam-01';
export const USERNAME = 'viewer';
export const PASSWORD = 'p@ss:w/rd';

/** These tests wait most of their time, so they run side by side: each cleans up by its own context. */
export type Finish = TestContext['onTestFinished'];

export async function ownDir(onTestFinished: Finish): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'gewu-test-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

export async function paintedCamera(onTestFinished: Finish, { fps = 10 } = {}): Promise<PaintedCamera> {
  const server = new RtspServer({ config: { port: 0 }, log: silentLog, clock: systemClock });
  await server.start();
  const mount = server.mount(PATH, { credentials: { username: USERNAME, password: PASSWORD }, fps });
  const config = { widthPx: WIDTH_PX, heightPx: HEIGHT_PX, fps, crf: 18 };
  const encoder = new H264Encoder({ config, log: silentLog, clock: systemClock, onUnit: (unit) => mount.push(unit) });
  await encoder.start();
  const camera: PaintedCamera = { url: server.url(PATH), server, grey: 200, still: false };
  const rgba = new Uint8Array(WIDTH_PX * HEIGHT_PX * 4);
  const timer = setInterval(() => {
    if (!encoder.ready) return;
    for (let at = 0; at < rgba.length; at += 4) {
      const value = camera.still ? camera.grey : camera.grey + Math.floor(Math.random() * 24) - 12;
      rgba.fill(Math.min(255, Math.max(0, value)), at, at + 3);
    }
    encoder.encode(rgba, systemClock.monotonic());
  }, 1000 / fps);
  onTestFinished(async () => {
    clearInterval(timer);
    await encoder.stop();
    await server.stop();
  });
  return camera;
}
