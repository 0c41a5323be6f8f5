import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { silentLog, systemClock } from '#service/mod.ts';
import { type AccessUnit, RtspServer, type RtspServerConfig } from '#simulators/cameras/mod.ts';
import { until } from '../../support/until.ts';

export const PASSWORD = { username: 'viewer', password: 'street-42' };

/** A server on a free port that stops when the test ends. */
export async function startServer(config: Partial<RtspServerConfig> = {}, random?: () => number): Promise<RtspServer> {
  const deps = { config: { port: 0, ...config }, log: silentLog, clock: systemClock };
  const server = new RtspServer(random === undefined ? deps : { ...deps, random });
  await server.start();
  onTestFinished(() => server.stop());
  return server;
}

const SPS = Buffer.from('6742c01eda0280bfe5', 'hex');
const PPS = Buffer.from('68ce0fc8', 'hex');

/** A coded picture for protocol tests: right in form, of no meaning; `mark` fills its slice. */
export function fakeUnit(key: boolean, mark: number, bytes = 3000): AccessUnit {
  const slice = Buffer.alloc(bytes, mark);
  slice[0] = key ? 0x65 : 0x41;
  return { nals: key ? [SPS, PPS, slice] : [slice], key, capturedMs: systemClock.monotonic() };
}

export interface RawResponse {
  status: number;
  headers: Map<string, string>;
  body: string;
}

export interface RtpPacket {
  sequence: number;
  timestamp: number;
  marker: boolean;
  payload: Buffer;
}

/** An RTSP client that says exactly what a test wants said, and takes what comes apart. */
export class RawClient {
  readonly socket: Socket;
  readonly responses: RawResponse[] = [];
  readonly packets: RtpPacket[] = [];
  readonly reports: Buffer[] = [];
  closed = false;
  /** Packets with the marker: pictures that came to their end. */
  pictures = 0;
  #rest = Buffer.alloc(0);
  #cseq = 0;
  #nonce = '';

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
  }

  static async open(port: number): Promise<RawClient> {
    const client = new RawClient(connect(port, '127.0.0.1'));
    onTestFinished(() => {
      client.socket.destroy();
    });
    await once(client.socket, 'connect');
    return client;
  }

  /** One request and its response. */
  async ask(method: string, uri: string, headers: Record<string, string> = {}): Promise<RawResponse> {
    const before = this.responses.length;
    this.send(method, uri, headers);
    await until(() => this.responses.length > before || this.closed, {
      timeoutMs: 5000,
      everyMs: 2,
      what: `response to ${method}`,
    });
    const response = this.responses[before];
    if (response === undefined) throw new Error(`closed instead of a response to ${method}`);
    return response;
  }

  send(method: string, uri: string, headers: Record<string, string> = {}): void {
    const lines = Object.entries({ CSeq: String(++this.#cseq), ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    this.socket.write(`${method} ${uri} RTSP/1.0\r\n${lines.join('')}\r\n`);
  }

  /** Like `ask`, with the answer to a challenge if there is one. */
  async askWithPassword(
    method: string,
    uri: string,
    headers: Record<string, string> = {},
    login = PASSWORD,
  ): Promise<RawResponse> {
    if (this.#nonce === '') {
      const first = await this.ask(method, uri, headers);
      if (first.status !== 401) return first;
      this.#nonce = /nonce="([^"]+)"/.exec(first.headers.get('www-authenticate') ?? '')?.[1] ?? '';
    }
    return this.ask(method, uri, { ...headers, Authorization: this.answerTo(method, uri, login) });
  }

  answerTo(method: string, uri: string, { username, password } = PASSWORD): string {
    const md5 = (text: string) => createHash('md5').update(text).digest('hex');
    const realm = 'Gewu simulated camera';
    const response = md5(`${md5(`${username}:${realm}:${password}`)}:${this.#nonce}:${md5(`${method}:${uri}`)}`);
    return `Digest username="${username}", realm="${realm}", nonce="${this.#nonce}", uri="${uri}", response="${response}"`;
  }

  /** DESCRIBE, SETUP and PLAY; returns the session id. */
  async play(uri: string): Promise<string> {
    const described = await this.askWithPassword('DESCRIBE', uri);
    if (described.status !== 200) throw new Error(`DESCRIBE ${described.status}`);
    const track = `${uri}/trackID=0`;
    const setup = await this.askWithPassword('SETUP', track, { Transport: 'RTP/AVP/TCP;unicast;interleaved=0-1' });
    if (setup.status !== 200) throw new Error(`SETUP ${setup.status}`);
    const session = (setup.headers.get('session') ?? '').split(';')[0] as string;
    const played = await this.askWithPassword('PLAY', uri, { Session: session });
    if (played.status !== 200) throw new Error(`PLAY ${played.status}`);
    return session;
  }

  /** Marks of the slices that came whole (see `fakeUnit`), in order. */
  get marks(): number[] {
    return depacketize(this.packets)
      .filter((nal) => [1, 5].includes((nal[0] ?? 0) & 31))
      .map((nal) => nal[nal.length - 1] as number);
  }

  #take(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      if (this.#rest[0] === 0x24) {
        if (this.#rest.length < 4) return;
        const end = 4 + this.#rest.readUInt16BE(2);
        if (this.#rest.length < end) return;
        const packet = this.#rest.subarray(4, end);
        if (this.#rest[1] === 0) {
          const parsed = parseRtp(packet);
          this.packets.push(parsed);
          if (parsed.marker) this.pictures++;
        } else this.reports.push(packet);
        this.#rest = this.#rest.subarray(end);
        continue;
      }
      const end = this.#rest.indexOf('\r\n\r\n');
      if (end < 0) return;
      const [first = '', ...lines] = this.#rest.toString('latin1', 0, end).split('\r\n');
      const headers = new Map(lines.map((l) => [l.split(':')[0]?.toLowerCase() ?? '', l.slice(l.indexOf(':') + 1).trim()]));
      const bytes = Number(headers.get('content-length') ?? 0);
      if (this.#rest.length < end + 4 + bytes) return;
      const body = this.#rest.toString('latin1', end + 4, end + 4 + bytes);
      this.responses.push({ status: Number(first.split(' ')[1]), headers, body });
      this.#rest = this.#rest.subarray(end + 4 + bytes);
    }
  }
}

export function parseRtp(packet: Buffer): RtpPacket {
  return {
    sequence: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    marker: ((packet[1] ?? 0) & 0x80) !== 0,
    payload: packet.subarray(12),
  };
}

/** NAL units of RFC 6184 packets: single ones and complete FU-A chains. */
export function depacketize(packets: readonly RtpPacket[]): Buffer[] {
  const nals: Buffer[] = [];
  let parts: Buffer[] = [];
  for (const { payload } of packets) {
    const [indicator = 0, fu = 0] = payload;
    if ((indicator & 31) !== 28) {
      nals.push(payload);
      continue;
    }
    if (fu & 0x80) parts = [Buffer.from([(indicator & 0xe0) | (fu & 31)])];
    parts.push(payload.subarray(2));
    if (fu & 0x40) nals.push(Buffer.concat(parts));
  }
  return nals;
}

export interface DecodedFrame {
  rgb: Buffer;
  /** Monotonic ms of its arrival here. */
  atMs: number;
}

/** The real ffmpeg as a client over TCP: decoded pictures, what it said, and its end. */
export class FfmpegClient {
  readonly frames: DecodedFrame[] = [];
  stderr = '';
  exitCode: number | null = null;
  readonly #child: ChildProcess;

  constructor(
    url: string,
    { widthPx, heightPx, login = PASSWORD }: { widthPx: number; heightPx: number; login?: typeof PASSWORD },
  ) {
    const address = url.replace('://', `://${login.username}:${login.password}@`);
    // A short analysis (the description says it all), and no frame threads: each of them would hold one picture back.
    const input = ['-analyzeduration', '1', '-threads', '1', '-rtsp_transport', 'tcp', '-i', address];
    const output = [
      '-threads',
      '1',
      '-fps_mode',
      'passthrough',
      '-flush_packets',
      '1',
      '-f',
      'rawvideo',
      '-pix_fmt',
      'rgb24',
      'pipe:1',
    ];
    this.#child = spawn('ffmpeg', ['-hide_banner', '-loglevel', 'warning', '-nostdin', ...input, ...output]);
    const bytes = widthPx * heightPx * 3;
    let rest = Buffer.alloc(0);
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (; rest.length >= bytes; rest = rest.subarray(bytes))
        this.frames.push({ rgb: rest.subarray(0, bytes), atMs: systemClock.monotonic() });
    });
    this.#child.stderr?.on('data', (text: Buffer) => {
      this.stderr += text.toString();
    });
    this.#child.once('exit', (code) => {
      this.exitCode = code ?? -1;
    });
    onTestFinished(() => this.stop());
  }

  async stop(): Promise<void> {
    if (this.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  /** Waits until so many more frames have come; returns the last of them. */
  async next(count = 1, timeoutMs = 10_000): Promise<DecodedFrame> {
    const wanted = this.frames.length + count;
    await until(() => this.frames.length >= wanted, { timeoutMs, everyMs: 5, what: `${count} frames (${this.stderr})` });
    return this.frames[wanted - 1] as DecodedFrame;
  }
}
