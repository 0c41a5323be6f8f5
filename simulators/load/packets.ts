/** The few MQTT 3.1.1 packets that a load needs, made by hand: a client library would cost more than what it measures. */

export function connectPacket({ id, username, password }: { id: string; username: string; password: string }): Buffer {
  const body = Buffer.concat([
    // Protocol name and level, clean session with user name and password, keepalive 60 s [MQTT-3.1].
    Buffer.from([0x00, 0x04, 0x4d, 0x51, 0x54, 0x54, 0x04, 0xc2, 0x00, 0x3c]),
    text(id),
    text(username),
    text(password),
  ]);
  return Buffer.concat([Buffer.from([0x10]), remainingLength(body.length), body]);
}

/** QoS 1. */
export function publishPacket(topic: string, messageId: number, payload: Buffer): Buffer {
  const name = text(topic);
  const length = remainingLength(name.length + 2 + payload.length);
  const packet = Buffer.allocUnsafe(1 + length.length + name.length + 2 + payload.length);
  packet[0] = 0x32;
  let at = 1 + length.copy(packet, 1);
  at += name.copy(packet, at);
  at = packet.writeUInt16BE(messageId, at);
  payload.copy(packet, at);
  return packet;
}

/** QoS 0. */
export function publishAtMostOnce(topic: string, payload: Buffer): Buffer {
  const name = text(topic);
  return Buffer.concat([Buffer.from([0x30]), remainingLength(name.length + payload.length), name, payload]);
}

export function subscribePacket(messageId: number, filter: string): Buffer {
  const name = text(filter);
  const head = Buffer.from([0x82, name.length + 3, messageId >> 8, messageId & 0xff]);
  return Buffer.concat([head, name, Buffer.from([0x00])]);
}

export const PINGREQ = Buffer.from([0xc0, 0x00]);
export const DISCONNECT = Buffer.from([0xe0, 0x00]);
export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;

/** Cuts what a socket gives into packets. */
export class PacketReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Calls `take` for each packet that is complete: its type, and what follows its length. */
  push(chunk: Buffer, take: (type: number, body: Buffer) => void): void {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const head = lengthOf(data);
      if (head === null || data.length < head.end + head.length) break;
      take((data[0] as number) >> 4, data.subarray(head.end, head.end + head.length));
      data = data.subarray(head.end + head.length);
    }
    this.#rest = data;
  }
}

function lengthOf(data: Buffer): { length: number; end: number } | null {
  let length = 0;
  for (let i = 1; i <= 4 && i < data.length; i++) {
    const byte = data[i] as number;
    length += (byte & 0x7f) << (7 * (i - 1));
    if (byte < 0x80) return { length, end: i + 1 };
  }
  return null;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

function remainingLength(length: number): Buffer {
  const bytes: number[] = [];
  for (let rest = length; ; ) {
    const byte = rest & 0x7f;
    rest >>= 7;
    bytes.push(rest > 0 ? byte | 0x80 : byte);
    if (rest === 0) return Buffer.from(bytes);
  }
}
