import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, vi } from 'vitest';
import type { CameraAddress } from '#edge/cameras/address.ts';
import { openHttpStream } from '#edge/cameras/http.ts';
import type { FailureReason } from '#edge/cameras/reason.ts';
import { FrameSource } from '#edge/cameras/source.ts';
import { silentLog, systemClock } from '#service/mod.ts';
import { until } from '#test/support/until.ts';
import { sha256Of } from '../../support/evidence.ts';
import { type Finish, PASSWORD, USERNAME } from './painted.ts';
import { CELL, run } from './running.ts';

// They wait for real processes; a busy machine needs longer, and a wrong result is told long before.
vi.setConfig({ testTimeout: 60_000 });

const BOUNDARY = 'picture';
const FPS = 10;
const START_OF_JPEG = Buffer.from([0xff, 0xd8, 0xff]);
const [BRIGHT, DARK] = [jpegs('0xc8c8c8'), jpegs('0x303030')];

/** A second of a camera that looks at a wall: each picture has its own noise. */
function jpegs(colour: string): Buffer[] {
  const source = `color=c=${colour}:s=640x360:r=${FPS},noise=alls=10:allf=t,format=yuvj420p`;
  const input = ['-v', 'error', '-f', 'lavfi', '-i', source, '-frames:v', String(FPS)];
  const all = execFileSync('ffmpeg', [...input, '-f', 'mjpeg', 'pipe:1'], { maxBuffer: 1 << 24 });
  const starts: number[] = [];
  for (let at = 0; at >= 0; at = all.indexOf(START_OF_JPEG, at + 1)) starts.push(at);
  return starts.map((from, n) => all.subarray(from, starts[n + 1]));
}

const basic = (user: string, password: string): string => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

async function serve(onTestFinished: Finish, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/video`;
}

interface Showing {
  /** Over and over. */
  loop?: () => readonly Buffer[];
  /** Pictures after which it ends. */
  count?: number;
}

/** As such cameras do it. */
function pictures(response: ServerResponse, { loop = () => BRIGHT, count = Number.POSITIVE_INFINITY }: Showing = {}): void {
  response.writeHead(200, { 'content-type': `multipart/x-mixed-replace; boundary=${BOUNDARY}` });
  let sent = 0;
  const timer = setInterval(() => {
    const shown = loop();
    const jpeg = shown[sent % shown.length] as Buffer;
    response.write(`--${BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`);
    response.write(jpeg);
    response.write('\r\n');
    if (++sent >= count) response.end();
  }, 1000 / FPS);
  response.on('close', () => clearInterval(timer));
}

function watch(onTestFinished: Finish, url: string, more: Partial<CameraAddress> = {}) {
  const frames: { mean: number; widthPx: number }[] = [];
  const failures: FailureReason[] = [];
  const source: FrameSource = new FrameSource({
    address: { id: 'cam-01', url, allowLocalAddress: true, transport: 'tcp', ...more },
    timing: { fps: 4 },
    format: { input: { width: 320, height: 320, letterbox: { pad: 114 } }, fullWidthMax: 1280 },
    log: silentLog,
    clock: systemClock,
    random: () => 0,
    onFrame: (frame) => {
      const middle = new Uint8Array(frame.input).subarray(320 * 3 * 100, 320 * 3 * 220);
      frames.push({ mean: middle.reduce((sum, v) => sum + v, 0) / middle.length, widthPx: frame.full.widthPx });
      source.release(frame);
    },
    onFailure: (reason) => failures.push(reason),
  });
  onTestFinished(() => source.stop());
  return { source, frames, failures };
}

test.concurrent('pictures of a camera that sends JPEGs by HTTP, behind a password', async ({ expect, onTestFinished }) => {
  const wanted = basic(USERNAME, PASSWORD);
  const url = await serve(onTestFinished, (request, response) => {
    if (request.headers.authorization === wanted) pictures(response);
    else response.writeHead(401).end();
  });
  const right = watch(onTestFinished, url, { username: USERNAME, password: PASSWORD });
  const wrong = watch(onTestFinished, url, { username: USERNAME, password: 'guess' });
  await Promise.all([right.source.start(), wrong.source.start()]);
  await until(() => right.frames.length >= 6 && wrong.failures.length > 0, { timeoutMs: 40_000 });
  for (const { mean, widthPx } of right.frames) expect([Math.round(mean / 10), widthPx]).toEqual([20, 640]);
  expect(right.failures).toEqual([]);
  expect(wrong.failures[0]).toBe('unauthorised');
  expect(wrong.frames).toEqual([]);
});

test.concurrent('what stands before a camera that sends JPEGs by HTTP becomes an event with a signed picture, and clears; with its stream its word ends', async ({
  expect,
  onTestFinished,
}) => {
  let loop = BRIGHT;
  let open: ServerResponse | null = null;
  const url = await serve(onTestFinished, (request, response) => {
    if (request.headers.authorization !== basic(USERNAME, PASSWORD)) return void response.writeHead(401).end();
    if (open !== null) return void response.writeHead(503).end();
    open = response;
    pictures(response, { loop: () => loop });
  });
  const { events, health, dataDir } = await run(onTestFinished, { url });
  const raised = await until(() => events[0], { timeoutMs: 40_000 });
  const { place, evidence } = raised.data;
  expect([raised.type, place.cell, evidence.length]).toEqual(['gewu.event.raised', CELL, 1]);
  const file = join(dataDir, 'evidence/pending', `${evidence[0]?.sha256}.bin`);
  expect(sha256Of(await readFile(file))).toBe(evidence[0]?.sha256);
  loop = DARK;
  const over = await until(() => events.find(({ type }) => type === 'gewu.event.cleared'), { timeoutMs: 40_000 });
  expect(over.subject).toBe(raised.subject);
  expect(health.find((line) => line.of === 'camera' && line.state === 'online')).toBeDefined();
  (open as ServerResponse | null)?.destroy();
  await until(() => health.some((line) => line.of === 'camera' && line.state === 'offline'), {
    timeoutMs: 40_000,
  });
});

test.concurrent('a stream that ends is a disconnect, and comes back by itself', async ({ expect, onTestFinished }) => {
  const url = await serve(onTestFinished, (_, response) => pictures(response, { count: 12 }));
  const { source, frames, failures } = watch(onTestFinished, url);
  await source.start();
  await until(() => failures.length > 0, { timeoutMs: 40_000 });
  expect(failures).toEqual(['disconnected']);
  const before = frames.length;
  await until(() => frames.length > before, { timeoutMs: 40_000 });
});

test.concurrent('a camera that sends us elsewhere, or what is no stream, is refused, and no ffmpeg is started', async ({
  expect,
  onTestFinished,
}) => {
  const secret = await serve(onTestFinished, (_, response) => pictures(response));
  const answers: Record<string, [(response: ServerResponse) => void, FailureReason]> = {
    elsewhere: [(r) => r.writeHead(302, { location: secret }).end(), 'address'],
    file: [(r) => r.writeHead(302, { location: 'file:///etc/passwd' }).end(), 'address'],
    page: [(r) => r.writeHead(200, { 'content-type': 'text/html' }).end('<html>'), 'failed'],
    missing: [(r) => r.writeHead(404).end(), 'not_found'],
    broken: [(r) => r.writeHead(500).end(), 'failed'],
  };
  const base = await serve(onTestFinished, (request, response) => answers[request.url?.split('/').at(-1) ?? '']?.[0](response));
  for (const [name, [, reason]] of Object.entries(answers)) {
    const { source, failures } = watch(onTestFinished, base.replace('video', name));
    await source.start();
    await until(() => failures.length > 0);
    expect([name, failures[0]]).toEqual([name, reason]);
    expect(source.pid).toBeNull();
    await source.stop();
  }
});

test('a name that resolves to this machine is refused when it is connected to, too', async ({ expect, onTestFinished }) => {
  const url = (await serve(onTestFinished, (_, response) => pictures(response))).replace('127.0.0.1', 'localhost');
  const { signal } = new AbortController();
  await expect(openHttpStream({ url, allowLocalAddress: false, signal })).rejects.toMatchObject({ reason: 'unreachable' });
  const stream = await openHttpStream({ url, allowLocalAddress: true, signal }).catch((error: Error) => error);
  // Where localhost is ::1 only, nobody listens there.
  if (!(stream instanceof Error)) stream.destroy();
});
