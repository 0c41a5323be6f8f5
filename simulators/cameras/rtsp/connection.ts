import { randomBytes, randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Clock, Log } from '#service/mod.ts';
import { challenge, isAuthorized } from './digest.ts';
import { formatResponse, RtspReader, type RtspRequest, type RtspResponse, RtspSyntaxError } from './message.ts';
import type { MountClient, RtspMount } from './mount.ts';
import { RtpStream } from './rtp.ts';
import { describe, TRACK } from './sdp.ts';
import { type ByteSink, MediaSender, type SenderLimits } from './sender.ts';
import { UdpSink } from './udp.ts';
import type { AccessUnit } from './unit.ts';

export interface ConnectionLimits extends SenderLimits {
  /** No traffic either way for so long: closed. The client is told half of it as the session's timeout. */
  silenceMsMax: number;
  /** How long DESCRIBE waits for the encoder's first picture. */
  describeMsMax: number;
}

export interface ConnectionDeps {
  socket: Socket;
  findMount: (path: string) => RtspMount | undefined;
  limits: ConnectionLimits;
  clock: Clock;
  log: Log;
}

/** Requests that may wait behind one that is being answered. */
const PENDING_MAX = 16;
/** Wrong passwords on one connection. */
const REFUSALS_MAX = 3;
const REPORT_EVERY_MS = 5_000;

const METHODS = ['OPTIONS', 'DESCRIBE', 'SETUP', 'PLAY', 'GET_PARAMETER', 'TEARDOWN'] as const;
type Method = (typeof METHODS)[number];
/** Of RFC 2326, and not for a camera that is only watched. */
const OTHER_METHODS = ['ANNOUNCE', 'PAUSE', 'RECORD', 'REDIRECT', 'SET_PARAMETER'];

interface Session {
  id: string;
  stream: RtpStream;
  sender: MediaSender;
  playing: boolean;
  /** Where media do not go over the connection itself. */
  udp: UdpSink | null;
  reports?: NodeJS.Timeout;
}

/**
 * One client over TCP: requests in, responses out, and media interleaved on the same socket, or as datagrams beside it.
 *
 *   (new) --SETUP--> ready --PLAY--> playing --TEARDOWN--> closed
 */
export class RtspConnection implements MountClient {
  readonly #deps: ConnectionDeps;
  readonly #reader = new RtspReader();
  /** Lives as long as the connection: a keep-alive that nobody repeats after a 401 must stay valid. */
  readonly #nonce = randomBytes(16).toString('hex');
  readonly #pending: RtspRequest[] = [];
  #answering = false;
  #mount: RtspMount | null = null;
  #session: Session | null = null;
  #refusals = 0;
  #held = false;
  /** The last response is on its way: nothing more is read. */
  #ending = false;
  #closed = false;

  constructor(deps: ConnectionDeps) {
    this.#deps = deps;
  }

  start(): void {
    const { socket, limits } = this.#deps;
    socket.setNoDelay(true);
    socket.setTimeout(limits.silenceMsMax, () => {
      if (!this.#held) this.close('silent client');
    });
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', () => this.close('socket error'));
    socket.on('end', () => this.close('client left'));
    socket.on('close', () => this.close('closed'));
  }

  close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#session?.reports);
    this.#session?.udp?.end();
    this.#mount?.detach(this);
    this.#deps.socket.destroy();
    this.#deps.log.debug({ reason, mount: this.#mount?.config.path }, 'client closed');
  }

  hold(): void {
    this.#held = true;
    this.#deps.socket.pause();
  }

  release(): void {
    this.#held = false;
    this.#deps.socket.resume();
    this.#answerPending();
  }

  awaitKey(): void {
    this.#session?.sender.awaitKey();
  }

  deliver(unit: AccessUnit, spoil?: (payload: Buffer) => void): void {
    if (this.#session?.playing) this.#session.sender.send(unit, spoil);
  }

  babble(bytes: Buffer): void {
    const { socket, limits } = this.#deps;
    const session = this.#session;
    if (session?.playing && session.udp === null && socket.writableLength < limits.backlogBytesMax) socket.write(bytes);
  }

  #read(chunk: Buffer): void {
    if (this.#ending) return;
    try {
      for (const item of this.#reader.push(chunk)) {
        if (item.kind === 'request') this.#pending.push(item.request);
        else if (this.#session === null) throw new RtspSyntaxError(400, 'media before SETUP');
      }
    } catch (error) {
      const status = error instanceof RtspSyntaxError ? error.status : 500;
      this.#deps.socket.write(formatResponse({ status, headers: { Connection: 'close' } }, null));
      this.#closeAfterWrite((error as Error).message);
      return;
    }
    if (this.#pending.length > PENDING_MAX) this.close('too many requests at once');
    else this.#answerPending();
  }

  #answerPending(): void {
    if (this.#answering) return;
    this.#answering = true;
    this.#answerAll()
      .catch((error: unknown) => {
        this.#deps.log.error({ err: error }, 'rtsp request failed');
        this.close('internal error');
      })
      .finally(() => {
        this.#answering = false;
      });
  }

  async #answerAll(): Promise<void> {
    for (let request = this.#pending[0]; request !== undefined; request = this.#pending[0]) {
      if (!this.#mayAnswer(request)) return;
      this.#pending.shift();
      const response = await this.#answer(request);
      if (this.#closed) return;
      this.#deps.socket.write(formatResponse(response, request.headers.get('cseq') ?? null));
      if (this.#deps.socket.writableLength > 2 * this.#deps.limits.backlogBytesMax) return this.close('client does not read');
      if (this.#refusals > REFUSALS_MAX) return this.#closeAfterWrite('wrong password');
      if (request.method === 'TEARDOWN' && response.status === 200) return this.#closeAfterWrite('teardown');
      if (request.method === 'PLAY' && response.status === 200) this.#play();
    }
  }

  /** Joins the mount that the request names, and behaves as its fault says. False: not now, or never. */
  #mayAnswer(request: RtspRequest): boolean {
    if (this.#closed || this.#held) return false;
    const mount = this.#mount ?? this.#deps.findMount(pathOf(request.uri));
    if (mount === undefined) return true;
    if (mount.fault?.kind === 'cut') {
      this.close('cut');
      return false;
    }
    if (this.#mount === null) {
      if (!mount.attach(this)) {
        this.#deps.socket.write(formatResponse({ status: 453 }, request.headers.get('cseq') ?? null));
        this.#closeAfterWrite('too many clients');
        return false;
      }
      this.#mount = mount;
    }
    if (mount.fault?.kind === 'halfOpen') this.hold();
    return !this.#held;
  }

  async #answer(request: RtspRequest): Promise<RtspResponse> {
    if (!/^\d{1,10}$/.test(request.headers.get('cseq') ?? '')) return { status: 400 };
    const required = request.headers.get('require');
    if (required !== undefined) return { status: 551, headers: { Unsupported: required } };
    const method = METHODS.find((m) => m === request.method);
    if (method === undefined)
      return OTHER_METHODS.includes(request.method)
        ? { status: 405, headers: { Allow: METHODS.join(', ') } }
        : { status: 501, headers: { Public: METHODS.join(', ') } };
    // Asking what a camera can do needs no password, as with real ones.
    if (method === 'OPTIONS') return { status: 200, headers: { Public: METHODS.join(', ') } };
    const mount = this.#deps.findMount(pathOf(request.uri));
    // One connection is for one camera: its place among the clients and its faults are counted there.
    if (mount === undefined || mount !== this.#mount) return { status: 404 };
    const { credentials } = mount;
    if (credentials !== null && !isAuthorized(request, this.#nonce, credentials)) {
      if (request.headers.has('authorization')) this.#refusals++;
      return { status: 401, headers: { 'WWW-Authenticate': challenge(this.#nonce, credentials) } };
    }
    return this.#perform(method, request, mount);
  }

  async #perform(method: Exclude<Method, 'OPTIONS'>, request: RtspRequest, mount: RtspMount): Promise<RtspResponse> {
    if (method === 'DESCRIBE') return this.#describe(request, mount);
    if (method === 'SETUP') return this.#setup(request);
    const named = (request.headers.get('session') ?? '').split(';')[0];
    if (method === 'GET_PARAMETER' && named === '') return { status: 200 };
    if (this.#session === null || named !== this.#session.id) return { status: 454 };
    const headers = { Session: this.#session.id };
    if (method !== 'PLAY') return { status: 200, headers };
    const first = mount.lastKey;
    const { sender, stream } = this.#session;
    const time = first === undefined ? '' : `;rtptime=${sender.timestampOf(first)}`;
    const track = `${mountUri(request.uri)}/${TRACK}`;
    return { status: 200, headers: { ...headers, Range: 'npt=now-', 'RTP-Info': `url=${track};seq=${stream.sequence}${time}` } };
  }

  async #describe(request: RtspRequest, mount: RtspMount): Promise<RtspResponse> {
    const parameters = await mount.awaitParameters(this.#deps.limits.describeMsMax);
    if (parameters === null) return { status: 503, headers: { 'Retry-After': '1' } };
    const headers = { 'Content-Type': 'application/sdp', 'Content-Base': `${mountUri(request.uri)}/` };
    return { status: 200, headers, body: describe(parameters, this.#deps.socket.localAddress ?? '127.0.0.1', mount.config.fps) };
  }

  async #setup(request: RtspRequest): Promise<RtspResponse> {
    if (this.#session !== null) return { status: 455 };
    const { socket, limits, clock } = this.#deps;
    const offer = transportOf(request.headers.get('transport') ?? '');
    if (offer === null) return { status: 461 };
    const close = (reason: string) => this.close(reason);
    const udp = offer.ports && (await UdpSink.open({ host: socket.remoteAddress ?? '127.0.0.1', ...offer.ports }, close));
    if (this.#closed) udp?.end();
    const own: ByteSink = { write: (bytes) => socket.write(bytes), backlogBytes: () => socket.writableLength, close };
    const stream = new RtpStream(offer.channel, randomInt(2 ** 32), randomInt(2 ** 16));
    const sender = new MediaSender({ stream, timestampOffset: randomInt(2 ** 32), sink: udp ?? own, limits, clock });
    this.#session = { id: randomBytes(8).toString('hex'), stream, sender, playing: false, udp };
    const timeoutS = Math.max(1, Math.floor(limits.silenceMsMax / 2000));
    const transport = udp
      ? `RTP/AVP;unicast;client_port=${offer.ports?.rtpPort}-${offer.ports?.rtcpPort};server_port=${udp.ports.join('-')}`
      : `RTP/AVP/TCP;unicast;interleaved=${offer.channel}-${offer.channel + 1}`;
    const headers = { Session: `${this.#session.id};timeout=${timeoutS}`, Transport: `${transport};ssrc=${hex32(stream.ssrc)}` };
    return { status: 200, headers };
  }

  #play(): void {
    const session = this.#session;
    if (session === null || session.playing || this.#mount === null) return;
    session.playing = true;
    // From the last key picture on, so that a picture comes at once.
    this.#mount.replay(this);
    session.reports = setInterval(() => {
      const fault = this.#mount?.fault?.kind;
      if (fault === undefined || fault === 'corrupt' || fault === 'drop') session.sender.report();
    }, REPORT_EVERY_MS);
    session.reports.unref();
  }

  #closeAfterWrite(reason: string): void {
    this.#ending = true;
    this.#pending.length = 0;
    this.#deps.socket.end(() => this.close(reason));
  }
}

/** `rtsp://host:554/cam-01/trackID=0?x` to `/cam-01`. */
function pathOf(uri: string): string {
  const path = mountUri(uri).replace(/^rtsps?:\/\/[^/]*/i, '');
  return path === '' ? '/' : path;
}

/** The request's address without query, track and closing slash. */
function mountUri(uri: string): string {
  const bare = uri.split('?')[0] ?? '';
  return bare.replace(/\/+$/, '').replace(new RegExp(`/${TRACK}$`), '');
}

/** The first transport that the client offers and we have: its channels on the connection, or its ports. Null for none. */
function transportOf(header: string): { channel: number; ports: { rtpPort: number; rtcpPort: number } | null } | null {
  for (const offer of header.split(',')) {
    const channel = interleavedChannel(offer);
    if (channel !== null) return { channel, ports: null };
    const ports = /^\s*RTP\/AVP(?:\/UDP)?;.*\bclient_port=(\d{1,5})-(\d{1,5})/i.exec(offer)?.slice(1).map(Number);
    const [rtpPort = 0, rtcpPort = 0] = ports ?? [];
    if (/\bmulticast\b/i.test(offer) || rtpPort < 1024 || rtcpPort < 1024 || rtpPort > 65535 || rtcpPort > 65535) continue;
    return { channel: 0, ports: { rtpPort, rtcpPort } };
  }
  return null;
}

/** RTP channel of a TCP transport (the next one is RTCP), or null. */
function interleavedChannel(offer: string): number | null {
  if (!/^\s*RTP\/AVP\/TCP(;|\s*$)/i.test(offer)) return null;
  const m = /;\s*interleaved=(\d{1,3})(?:-(\d{1,3}))?/i.exec(offer);
  if (!m) return 0;
  const channel = Number(m[1]);
  return channel <= 254 && (m[2] === undefined || Number(m[2]) === channel + 1) ? channel : null;
}

function hex32(value: number): string {
  return value.toString(16).padStart(8, '0').toUpperCase();
}
