/**
 * RTSP 1.0 requests from a byte stream, with binary frames interleaved among them (RFC 2326, sections 4, 6 and 10.12).
 * The reader holds at most one incomplete message: what a peer can make it keep is bounded by the limits below.
 */
export const HEADER_BYTES_MAX = 8 * 1024;
export const HEADERS_MAX = 64;
export const BODY_BYTES_MAX = 4 * 1024;

export interface RtspRequest {
  method: string;
  uri: string;
  /** Names in lower case. */
  headers: ReadonlyMap<string, string>;
}

export type RtspIncoming =
  | { kind: 'request'; request: RtspRequest }
  /** RTP or RTCP of the client; only its arrival counts. */
  | { kind: 'interleaved'; channel: number; bytes: number };

/** The stream cannot be understood any further: answer `status`, then close. */
export class RtspSyntaxError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = 'RtspSyntaxError';
    this.status = status;
  }
}

const DOLLAR = 0x24;
const CR = 0x0d;
const LF = 0x0a;
const requestLine = /^([A-Za-z_]{1,32}) (\S{1,1024}) RTSP\/(\d\.\d)$/;
const headerLine = /^([A-Za-z0-9-]{1,64}):[ \t]*([^\r\n]*?)[ \t]*$/;

export class RtspReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Everything that is complete after `chunk`. Throws RtspSyntaxError; the reader is of no use afterwards. */
  push(chunk: Buffer): RtspIncoming[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const found: RtspIncoming[] = [];
    for (let next = this.#take(); next !== null; next = this.#take()) found.push(next);
    return found;
  }

  #take(): RtspIncoming | null {
    // Blank lines between messages are allowed (RFC 2326 section 4, after RFC 2068 section 4.1).
    let skip = 0;
    while (this.#rest[skip] === CR || this.#rest[skip] === LF) skip++;
    if (skip > 0) this.#rest = this.#rest.subarray(skip);
    if (this.#rest.length === 0) return null;
    return this.#rest[0] === DOLLAR ? this.#takeInterleaved() : this.#takeRequest();
  }

  #takeInterleaved(): RtspIncoming | null {
    if (this.#rest.length < 4) return null;
    const bytes = this.#rest.readUInt16BE(2);
    if (this.#rest.length < 4 + bytes) return null;
    const channel = this.#rest.readUInt8(1);
    this.#rest = this.#rest.subarray(4 + bytes);
    return { kind: 'interleaved', channel, bytes };
  }

  #takeRequest(): RtspIncoming | null {
    const end = this.#rest.subarray(0, HEADER_BYTES_MAX).indexOf('\r\n\r\n');
    if (end < 0) {
      if (this.#rest.length >= HEADER_BYTES_MAX) throw new RtspSyntaxError(413, 'header too large');
      return null;
    }
    const request = parseHead(this.#rest.toString('latin1', 0, end));
    const bytes = bodyBytes(request);
    if (this.#rest.length < end + 4 + bytes) return null;
    this.#rest = this.#rest.subarray(end + 4 + bytes);
    return { kind: 'request', request };
  }
}

function parseHead(text: string): RtspRequest {
  const lines = text.split('\r\n');
  const first = requestLine.exec(lines[0] ?? '');
  if (!first) throw new RtspSyntaxError(400, 'not a request line');
  if (first[3] !== '1.0') throw new RtspSyntaxError(505, `RTSP/${first[3]}`);
  if (lines.length - 1 > HEADERS_MAX) throw new RtspSyntaxError(413, 'too many headers');
  const headers = new Map<string, string>();
  for (const line of lines.slice(1)) {
    const m = headerLine.exec(line);
    if (!m) throw new RtspSyntaxError(400, 'not a header line');
    const name = (m[1] as string).toLowerCase();
    const before = headers.get(name);
    // Joined, a repeated Content-Length or CSeq is no number any more and is refused by those who read it.
    headers.set(name, before === undefined ? (m[2] as string) : `${before}, ${m[2]}`);
  }
  return { method: first[1] as string, uri: first[2] as string, headers };
}

function bodyBytes(request: RtspRequest): number {
  const text = request.headers.get('content-length');
  if (text === undefined) return 0;
  if (!/^\d{1,9}$/.test(text)) throw new RtspSyntaxError(400, 'Content-Length');
  if (Number(text) > BODY_BYTES_MAX) throw new RtspSyntaxError(413, 'body too large');
  return Number(text);
}

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Request Entity Too Large',
  453: 'Not Enough Bandwidth',
  454: 'Session Not Found',
  455: 'Method Not Valid In This State',
  461: 'Unsupported Transport',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  505: 'RTSP Version Not Supported',
  551: 'Option Not Supported',
};

export interface RtspResponse {
  status: number;
  headers?: Readonly<Record<string, string>>;
  body?: string;
}

/** Wire bytes of a response; `cseq` is repeated as it came, or left out where none could be read. */
export function formatResponse(response: RtspResponse, cseq: string | null): string {
  const lines = [`RTSP/1.0 ${response.status} ${REASONS[response.status] ?? 'Error'}`];
  if (cseq !== null) lines.push(`CSeq: ${cseq}`);
  lines.push('Server: Gewu simulated camera');
  for (const [name, value] of Object.entries(response.headers ?? {})) lines.push(`${name}: ${value}`);
  const body = response.body ?? '';
  if (body !== '') lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
