import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { silentLog, systemClock } from '#service/mod.ts';
import {
  type AccessUnit,
  H264Encoder,
  type RtspFault,
  type RtspMount,
  RtspServer,
  type RtspServerConfig,
} from '#simulators/cameras/mod.ts';

export const WIDTH_PX = 320;
export const HEIGHT_PX = 180;
/** The width holds a whole number of pairs of them. */
const STRIPE_PX = 4;
const STRIPE_LEVELS = 80;

/** A camera at the end of a real RTSP address whose picture the test paints: grey with a little noise, or none. */
export interface PaintedCamera {
  url: string;
  server: RtspServer;
  /** Grey level of the next pictures. */
  grey: number;
  /** The same picture over and over, to the last bit. */
  still: boolean;
  /** Every other four columns are darker: whatever is pixelated loses them. */
  striped: boolean;
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

export async function paintedCamera(
  onTestFinished: Finish,
  { fps = 10, basic = false, tls = false } = {},
): Promise<PaintedCamera> {
  const secured = tls ? { tls: await selfSigned(onTestFinished) } : {};
  const server = await startedServer(onTestFinished, { port: 0, ...secured });
  const mount = server.mount(PATH, { credentials: { username: USERNAME, password: PASSWORD, basic }, fps });
  const paint = { grey: 200, still: false, striped: false };
  await painter(onTestFinished, fps, paint, (unit) => mount.push(unit));
  return Object.assign(paint, { url: server.url(PATH), server });
}

export interface PaintedCrowd {
  urls: string[];
  port: number;
  /** All of them lose their power, and have it again. */
  powerOff(): Promise<void>;
  powerOn(): Promise<void>;
  setFault(n: number, fault: RtspFault | null): void;
}

/** Many cameras that show the same grey picture. */
export async function paintedCrowd(onTestFinished: Finish, count: number, { fps = 10 } = {}): Promise<PaintedCrowd> {
  const paths = Array.from({ length: count }, (_, n) => `/cam-${n}`);
  let server: RtspServer | null = null;
  let mounts: RtspMount[] = [];
  await painter(onTestFinished, fps, { grey: 200, still: false, striped: false }, (unit) => {
    for (const mount of mounts) mount.push(unit);
  });
  const powerOn = async (port: number): Promise<RtspServer> => {
    const started = await startedServer(onTestFinished, { port });
    mounts = paths.map((path) => started.mount(path, { credentials: { username: USERNAME, password: PASSWORD }, fps }));
    server = started;
    return started;
  };
  const first = await powerOn(0);
  const { port } = first;
  return {
    urls: paths.map((path) => first.url(path)),
    port,
    powerOff: async () => {
      mounts = [];
      await server?.stop();
    },
    powerOn: async () => {
      await powerOn(port);
    },
    setFault: (n, fault) => server?.setFault(paths[n] as string, fault),
  };
}

async function startedServer(onTestFinished: Finish, config: RtspServerConfig): Promise<RtspServer> {
  const server = new RtspServer({ config, log: silentLog, clock: systemClock });
  await server.start();
  onTestFinished(() => server.stop());
  return server;
}

/** Codes one picture after the other until the test is over. */
async function painter(
  onTestFinished: Finish,
  fps: number,
  paint: Pick<PaintedCamera, 'grey' | 'still' | 'striped'>,
  onUnit: (unit: AccessUnit) => void,
): Promise<void> {
  const config = { widthPx: WIDTH_PX, heightPx: HEIGHT_PX, fps, crf: 18 };
  const encoder = new H264Encoder({ config, log: silentLog, clock: systemClock, onUnit });
  await encoder.start();
  const rgba = new Uint8Array(WIDTH_PX * HEIGHT_PX * 4);
  const timer = setInterval(() => {
    if (!encoder.ready) return;
    for (let at = 0; at < rgba.length; at += 4) {
      const level = paint.striped && (at / 4 / STRIPE_PX) % 2 >= 1 ? paint.grey - STRIPE_LEVELS : paint.grey;
      const value = paint.still ? level : level + Math.floor(Math.random() * 24) - 12;
      rgba.fill(Math.min(255, Math.max(0, value)), at, at + 3);
    }
    encoder.encode(rgba, systemClock.monotonic());
  }, 1000 / fps);
  onTestFinished(async () => {
    clearInterval(timer);
    await encoder.stop();
  });
}

async function selfSigned(onTestFinished: Finish): Promise<{ cert: string; key: string }> {
  const dir = await ownDir(onTestFinished);
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=camera'];
  execFileSync('openssl', [...request, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
}
