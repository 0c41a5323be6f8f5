import { type Codec, fault } from './codec.ts';

/**
 * Frames of the Milesight EM310-TILT (LoRaWAN): channel, type, value, one after the other. `01 75` battery in %;
 * `03 CF` angles of three axes, int16 little-endian, 1/100 degree, and a byte whose bits 0 to 2 say that an axis is beyond
 * its threshold. `FF ..`, sent after a restart, describes the device and holds no measurement. Source: docs/domain/sensors.md,
 * the maker's public decoder; 03CF00000000282307 is 0, 0 and 90 degrees, all three beyond.
 */
export const em310Tilt: Codec = {
  name: 'em310-tilt',
  binary: true,
  decode(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const object: Record<string, number | boolean> = {};
    for (let at = 0; at < bytes.length; ) {
      const channel = at + 1 < bytes.length ? view.getUint16(at) : -1;
      const part = PARTS.get(channel);
      if (part === undefined) return fault(`byte ${at}: unknown channel and type ${hex(bytes.subarray(at, at + 2))}`);
      if (at + 2 + part.size > bytes.length) return fault(`byte ${at}: ${part.size} bytes are wanted behind it`);
      part.read(view, at + 2, object);
      at += 2 + part.size;
    }
    if (Object.keys(object).length > 0) return { ok: true, objects: [object] };
    return { ok: false, code: 'GEWU_PAYLOAD_EMPTY', reason: bytes.length === 0 ? 'no byte' : 'no measurement' };
  },
};

interface Part {
  size: number;
  read(view: DataView, at: number, into: Record<string, number | boolean>): void;
}

/** Of the description: protocol, hardware, firmware and data model version, serial number, class, reset, power-on. */
const description = (size: number): Part => ({ size, read: () => undefined });

const PARTS: ReadonlyMap<number, Part> = new Map<number, Part>([
  [0xff01, description(1)],
  [0xff09, description(2)],
  [0xff0a, description(2)],
  [0xffff, description(2)],
  [0xff16, description(8)],
  [0xff0f, description(1)],
  [0xfffe, description(1)],
  [0xff0b, description(1)],
  [
    0x0175,
    {
      size: 1,
      read(view, at, into) {
        into.battery_pct = view.getUint8(at);
      },
    },
  ],
  [
    0x03cf,
    {
      size: 7,
      read(view, at, into) {
        const beyond = view.getUint8(at + 6);
        for (const [i, axis] of ['x', 'y', 'z'].entries()) {
          into[`angle_${axis}`] = view.getInt16(at + 2 * i, true) / 100;
          into[`beyond_${axis}`] = ((beyond >> i) & 1) === 1;
        }
      },
    },
  ],
]);

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}
