import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { decodePacket } from '#grid/live/mod.ts';
import type { LiveCommand } from '#grid/wire/mod.ts';
import { ManualClock, silentLog } from '#service/mod.ts';
import { Mpeg1 } from '../../../edge/live/mpeg1.ts';
import { TransportReader } from '../../../edge/live/transport.ts';
import { tempDir } from '../../support/temp.ts';
import { edgeOf, SpokenStream } from './spoken.ts';

vi.setConfig({ testTimeout: 30_000, expect: { poll: { timeout: 15_000 } } });

/** The centre's end of the edge's connections, and nothing else of a centre. */
async function farEnd() {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  const dialled: {
    socket: WebSocket;
    authorization: string | undefined;
    texts: { type: string; code?: string }[];
    packets: number;
  }[] = [];
  sockets.on('connection', (socket, { headers: { authorization } }) => {
    const one = { socket, authorization, texts: [] as { type: string; code?: string }[], packets: 0 };
    socket.on('message', (data: Buffer, binary) => {
      if (binary && decodePacket(data) !== null) one.packets++;
      else one.texts.push(JSON.parse(data.toString()));
    });
    dialled.push(one);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const { socket } of dialled) socket.terminate();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, dialled };
}

let streams = 0;
const command = (more: Partial<LiveCommand> = {}): LiveCommand => ({
  command: 'live',
  stream: String(++streams).padStart(22, '0'),
  camera: 'cam-01',
  view: 'raw',
  plays: ['h264'],
  ts: Date.now(),
  ...more,
});
const viewers = (...endsAt: number[]) =>
  JSON.stringify({
    type: 'viewers',
    viewers: endsAt.map((at, n) => ({
      account: `officer-${n}`,
      grant: { id: `grant-${n}`, purpose: 'a car on the crossing', roles: ['supervision'], endsAt: at },
    })),
  });

test('a raw view is shown only to a grant, written down before it is shown, and ends with it whatever the centre says', async () => {
  const { url, dialled } = await farEnd();
  const { views, media, acts } = edgeOf(url);
  views.show(command());
  await expect.poll(() => dialled.length).toBe(1);
  const [one] = dialled;
  one?.socket.send(JSON.stringify({ type: 'viewers', viewers: [{ account: 'nobody' }] }));
  one?.socket.send(viewers(Date.now() - 1));
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect([media.listeners.size, acts, one?.texts]).toEqual([0, [], []]);
  one?.socket.send(viewers(Date.now() + 1200));
  await expect.poll(() => one?.packets).toBe(1);
  expect(acts).toEqual([
    {
      actor: 'officer-0',
      roles: ['supervision'],
      action: 'raw-view-started',
      subject: 'camera:cam-01',
      purpose: 'a car on the crossing',
      grant: 'grant-0',
    },
  ]);
  await expect.poll(() => one?.texts.at(-1)).toMatchObject({ type: 'ended', code: 'GEWU_LIVE_OVER' });
  await expect.poll(() => acts.at(-1)?.action).toBe('raw-view-ended');
  expect(media.listeners.size).toBe(0);
});

test('what cannot be written down is not shown', async () => {
  const { url, dialled } = await farEnd();
  const { views, media } = edgeOf(url, { failing: true });
  views.show(command());
  await expect.poll(() => dialled.length).toBe(1);
  dialled[0]?.socket.send(viewers(Date.now() + 60_000));
  await expect.poll(() => dialled[0]?.texts).toMatchObject([{ type: 'ended', code: 'GEWU_LIVE_UNAVAILABLE' }]);
  expect(media.listeners.size).toBe(0);
});

test('the password goes to the configured centre and its named replicas only', async () => {
  const [own, replica, stranger] = [await farEnd(), await farEnd(), await farEnd()];
  const { views } = edgeOf(own.url, { live: { hosts: [new URL(replica.url).host] } });
  views.show(command({ url: stranger.url }));
  views.show(command({ url: replica.url }));
  views.show(command());
  await expect.poll(() => [own.dialled.length, replica.dialled.length]).toEqual([1, 1]);
  expect(stranger.dialled).toEqual([]);
  expect(own.dialled[0]?.authorization).toBe(`Basic ${Buffer.from('edge-01:edge-password').toString('base64')}`);
});

test('limits of an edge: streams, bytes a second, cameras that it does not have, and switched off', async () => {
  const { url, dialled } = await farEnd();
  const { views, media } = edgeOf(url, { live: { streamsMax: 1, bytesPerSMax: 16 * 1024 } });
  const first = command();
  views.show(first);
  views.show(first);
  views.show(command());
  await expect.poll(() => dialled.length).toBe(2);
  const refused = () => dialled.find(({ texts }) => texts[0]?.type === 'ended');
  await expect.poll(() => refused()?.texts[0]?.code).toBe('GEWU_TOO_MANY_REQUESTS');
  const one = dialled.find((d) => d !== refused());
  one?.socket.send(viewers(Date.now() + 60_000));
  await expect.poll(() => one?.packets).toBe(1);
  for (let n = 0; n < 100; n++) media.say(8 * 1024);
  await new Promise((resolve) => setTimeout(resolve, 300));
  // The burst of four seconds, and what has come since.
  expect(one?.packets).toBeGreaterThan(5);
  expect(one?.packets).toBeLessThan(12);

  const elsewhere = edgeOf(url).views;
  elsewhere.show(command({ camera: 'cam-09' }));
  await expect.poll(() => dialled.length).toBe(3);
  dialled[2]?.socket.send(viewers(Date.now() + 60_000));
  await expect.poll(() => dialled[2]?.texts[0]?.code).toBe('GEWU_LIVE_UNAVAILABLE');
  edgeOf(url, { live: { enabled: false } }).views.show(command());
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(dialled).toHaveLength(3);
});

test('a muxer that hangs is killed and asked for anew; one that is not there takes nothing with it', async () => {
  const program = join(await tempDir(), 'hangs');
  await writeFile(program, '#!/bin/sh\nexec sleep 600\n');
  await chmod(program, 0o755);
  const clock = new ManualClock();
  const media = new SpokenStream();
  for (const ffmpeg of [program, '/nowhere/ffmpeg']) {
    let ended = 0;
    const mpeg1 = new Mpeg1({
      camera: 'cam-01',
      onPiece: () => undefined,
      onEnded: () => ended++,
      clock,
      log: silentLog,
      ffmpeg,
    });
    onTestFinished(() => mpeg1.stop());
    mpeg1.begin(media.init, []);
    clock.advance(6_000);
    mpeg1.write({ bytes: Buffer.alloc(100), key: true, at: 0, ms: 0 });
    await expect.poll(() => ended).toBe(1);
    expect(mpeg1.pid).toBeNull();
  }
});

test('a transport stream is cut where a viewer can begin, however it arrives, and what is none is told so', () => {
  const packet = (begins: boolean, mark: number) => {
    const bytes = Buffer.alloc(188, mark);
    bytes.set(begins ? [0x47, 0x41, 0x00, 0x30, 0x07, 0x50] : [0x47, 0x01, 0x00, 0x10], 0);
    return bytes;
  };
  const stream = Buffer.concat([packet(false, 1), packet(true, 2), packet(false, 3), packet(true, 4)]);
  for (const size of [1, 100, 188, 500, 10_000]) {
    const pieces: [Buffer, boolean][] = [];
    const reader = new TransportReader((bytes, key) => pieces.push([bytes, key]));
    for (let at = 0; at < stream.length; at += size) reader.push(stream.subarray(at, at + size));
    expect(Buffer.concat(pieces.map(([bytes]) => bytes))).toEqual(stream);
    expect(pieces.filter(([, key]) => key).map(([bytes]) => bytes[20])).toEqual([2, 4]);
  }
  expect(() => new TransportReader(() => undefined).push(Buffer.alloc(188))).toThrow('not a transport stream');
});
