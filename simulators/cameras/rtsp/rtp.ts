import type { AccessUnit } from './unit.ts';

/**
 * H.264 (RFC 6184) and H.265 (RFC 7798) over RTP, each packet behind its interleaved header (RFC 2326 section 10.12):
 *
 *   '$' channel length | V..M.PT sequence timestamp SSRC | payload
 *
 * A NAL unit that fits is a payload of its own; a larger one is cut into fragments (FU-A, FU).
 */
export const PAYLOAD_TYPE = 96;
export const CLOCK_RATE_HZ = 90_000;
/** As a camera on Ethernet would cut them. */
export const PAYLOAD_BYTES_MAX = 1400;

const INTERLEAVED_BYTES = 4;
const RTP_BYTES = 12;
const FU_A = 28;
const FU_A_BYTES = 2;
const FU = 49;
const FU_BYTES = 3;
/** Seconds between 1900 (NTP) and 1970. */
const NTP_OFFSET_S = 2_208_988_800;

/** The RTP timestamp of a moment of the monotonic clock, for a stream that began at a random `offset`. */
export function rtpTime(monotonicMs: number, offset: number): number {
  return (offset + Math.round((monotonicMs * CLOCK_RATE_HZ) / 1000)) % 2 ** 32;
}

/** One RTP stream: its SSRC, its running sequence number, and what its sender reports count. */
export class RtpStream {
  readonly channel: number;
  readonly ssrc: number;
  #sequence: number;
  #packets = 0;
  #octets = 0;

  constructor(channel: number, ssrc: number, sequence: number) {
    this.channel = channel;
    this.ssrc = ssrc >>> 0;
    this.#sequence = sequence & 0xffff;
  }

  /** Of the next packet. */
  get sequence(): number {
    return this.#sequence;
  }

  /** All packets of one access unit in one buffer; `spoil`, where given, sees each payload and may change it. */
  packetize({ nals, codec }: Pick<AccessUnit, 'nals' | 'codec'>, timestamp: number, spoil?: (payload: Buffer) => void): Buffer {
    const payloads = nals.filter((nal) => nal.length > 0).flatMap(codec === 'h265' ? h265Payloads : h264Payloads);
    const head = INTERLEAVED_BYTES + RTP_BYTES;
    const out = Buffer.allocUnsafe(payloads.reduce((sum, p) => sum + head + p.head.length + p.body.length, 0));
    let at = 0;
    payloads.forEach((p, i) => {
      const bytes = p.head.length + p.body.length;
      this.#writeHead(out, at, bytes, timestamp, i === payloads.length - 1);
      const payload = out.subarray(at + head, at + head + bytes);
      p.head.copy(payload, 0);
      p.body.copy(payload, p.head.length);
      spoil?.(payload);
      at += head + bytes;
    });
    return out;
  }

  #writeHead(out: Buffer, at: number, payloadBytes: number, timestamp: number, last: boolean): void {
    out[at] = 0x24;
    out[at + 1] = this.channel;
    out.writeUInt16BE(RTP_BYTES + payloadBytes, at + 2);
    out[at + 4] = 0x80;
    out[at + 5] = (last ? 0x80 : 0) | PAYLOAD_TYPE;
    out.writeUInt16BE(this.#sequence, at + 6);
    out.writeUInt32BE(timestamp, at + 8);
    out.writeUInt32BE(this.ssrc, at + 12);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#packets = (this.#packets + 1) >>> 0;
    this.#octets = (this.#octets + payloadBytes) >>> 0;
  }

  /** Sender report and CNAME (RFC 3550 sections 6.4.1 and 6.5.1) on the stream's RTCP channel. */
  senderReport(nowMs: number, timestamp: number, cname: string): Buffer {
    const name = Buffer.from(cname.slice(0, 64), 'latin1');
    // One zero byte at least ends the list of items, then to the next 32 bits.
    const sdesBytes = Math.ceil((8 + 2 + name.length + 1) / 4) * 4;
    const out = Buffer.alloc(INTERLEAVED_BYTES + 28 + sdesBytes);
    out[0] = 0x24;
    out[1] = this.channel + 1;
    out.writeUInt16BE(28 + sdesBytes, 2);
    out.set([0x80, 200], 4);
    out.writeUInt16BE(6, 6);
    out.writeUInt32BE(this.ssrc, 8);
    out.writeUInt32BE(Math.floor(nowMs / 1000) + NTP_OFFSET_S, 12);
    out.writeUInt32BE(Math.floor(((nowMs % 1000) / 1000) * 2 ** 32), 16);
    out.writeUInt32BE(timestamp, 20);
    out.writeUInt32BE(this.#packets, 24);
    out.writeUInt32BE(this.#octets, 28);
    out.set([0x81, 202], 32);
    out.writeUInt16BE(sdesBytes / 4 - 1, 34);
    out.writeUInt32BE(this.ssrc, 36);
    out.set([1, name.length], 40);
    name.copy(out, 42);
    return out;
  }
}

interface Payload {
  head: Buffer;
  body: Buffer;
}

const NO_HEAD = Buffer.alloc(0);

function h264Payloads(nal: Buffer): Payload[] {
  if (nal.length <= PAYLOAD_BYTES_MAX) return [{ head: NO_HEAD, body: nal }];
  const first = nal.readUInt8(0);
  return fragments(nal, 1, PAYLOAD_BYTES_MAX - FU_A_BYTES, (marks) => [(first & 0xe0) | FU_A, marks | (first & 0x1f)]);
}

function h265Payloads(nal: Buffer): Payload[] {
  if (nal.length <= PAYLOAD_BYTES_MAX || nal.length < 3) return [{ head: NO_HEAD, body: nal }];
  const [first, second] = [nal.readUInt8(0), nal.readUInt8(1)];
  return fragments(nal, 2, PAYLOAD_BYTES_MAX - FU_BYTES, (marks) => [
    (first & 0x81) | (FU << 1),
    second,
    marks | ((first >> 1) & 0x3f),
  ]);
}

/** What is behind the NAL unit's own header, in steps; `headOf` makes a fragment's head of its start and end marks. */
function fragments(nal: Buffer, header: number, step: number, headOf: (marks: number) => number[]): Payload[] {
  const all: Payload[] = [];
  for (let from = header; from < nal.length; from += step) {
    const marks = (from === header ? 0x80 : 0) | (from + step >= nal.length ? 0x40 : 0);
    all.push({ head: Buffer.from(headOf(marks)), body: nal.subarray(from, from + step) });
  }
  return all;
}
