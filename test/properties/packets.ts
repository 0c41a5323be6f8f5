/** MQTT packets by hand, for what no client library lets out. */

/** Fixed header and body [MQTT-2.2]; strings get their length in front, the rest goes as it is. */
export function packet(first: number, ...parts: (Buffer | string | readonly number[])[]): Buffer {
  const body = Buffer.concat(parts.map((p) => (typeof p === 'string' ? field(Buffer.from(p)) : Buffer.from(p))));
  const length: number[] = [];
  for (let rest = body.length; ; rest >>= 7) {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    if (rest <= 0x7f) break;
  }
  return Buffer.concat([Buffer.from([first, ...length]), body]);
}

/** Cut at what two bytes can say [MQTT-1.5.3]. */
function field(bytes: Buffer): Buffer {
  const cut = bytes.subarray(0, 0xffff);
  return Buffer.concat([Buffer.from([cut.length >> 8, cut.length & 0xff]), cut]);
}

export interface Hello {
  clientId: string;
  username: string;
  password: string;
  flags?: number;
  level?: number;
  will?: readonly string[];
}

/** CONNECT, 60 s keepalive; `flags` 0xc2: user name, password, clean session. */
export function connectPacket({ clientId, username, password, flags = 0xc2, level = 4, will = [] }: Hello): Buffer {
  return packet(0x10, 'MQTT', [level, flags, 0, 60], clientId, ...will, username, password);
}

export const PING = packet(0xc0);
export const PONG = Buffer.from([0xd0, 0x00]);

/** PUBLISH; `id` is left out at QoS 0. */
export function publishPacket(topic: string, payload: Buffer | string, qos: 0 | 1 = 0, id = 1): Buffer {
  return packet(0x30 | (qos << 1), topic, qos > 0 ? [id >> 8, id & 0xff] : [], Buffer.from(payload));
}
