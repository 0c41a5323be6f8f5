/**
 * A binary message of a live view: twelve bytes, then what is to be shown. Big-endian.
 *
 *   0 kind   1 flags   2, 3 zero   4..11 `at`, float64, UTC ms of its arrival at the edge   12.. bytes
 */
export interface LivePacket {
  /** `init`: of a fragmented MP4. `media`: a fragment of it, a JPEG, packets of a transport stream. */
  kind: 'init' | 'media';
  /** A viewer may begin here, and one that fell behind goes on here. */
  key: boolean;
  at: number;
  bytes: Uint8Array;
}

export const PACKET_HEAD_BYTES = 12;
const KINDS = { init: 1, media: 2 } as const;
const KEY = 1;

export function encodePacket({ kind, key, at, bytes }: LivePacket): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(PACKET_HEAD_BYTES + bytes.length);
  packet[0] = KINDS[kind];
  packet[1] = key ? KEY : 0;
  new DataView(packet.buffer).setFloat64(4, at);
  packet.set(bytes, PACKET_HEAD_BYTES);
  return packet;
}

/** Null for what is none. `bytes` lie in the memory of the packet. */
export function decodePacket(packet: Uint8Array): LivePacket | null {
  if (packet.length < PACKET_HEAD_BYTES) return null;
  const kind = packet[0] === KINDS.init ? 'init' : packet[0] === KINDS.media ? 'media' : null;
  const at = new DataView(packet.buffer, packet.byteOffset).getFloat64(4);
  if (kind === null || (packet[1] ?? 0) > KEY || packet[2] !== 0 || packet[3] !== 0 || !Number.isFinite(at)) return null;
  return { kind, key: packet[1] === KEY, at, bytes: packet.subarray(PACKET_HEAD_BYTES) };
}
