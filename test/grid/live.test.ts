import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodePacket, encodePacket, type LivePacket, PACKET_HEAD_BYTES } from '#grid/live/mod.ts';
import { checkEdgeLive } from '#grid/wire/mod.ts';

const packet: fc.Arbitrary<LivePacket> = fc.record({
  kind: fc.constantFrom('init', 'media'),
  key: fc.boolean(),
  at: fc.double({ noNaN: true, noDefaultInfinity: true }),
  bytes: fc.uint8Array({ maxLength: 64 }),
});

test('a packet comes back as it was put in, wherever it lies in memory', () => {
  fc.assert(
    fc.property(packet, fc.nat(9), (p, offset) => {
      const bytes = encodePacket(p);
      const moved = new Uint8Array(offset + bytes.length);
      moved.set(bytes, offset);
      expect(decodePacket(moved.subarray(offset))).toEqual(p);
    }),
  );
});

test('what is no packet is told so, and never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const read = decodePacket(bytes);
      if (read !== null) expect(encodePacket(read)).toEqual(bytes);
      if (bytes.length < PACKET_HEAD_BYTES) expect(read).toBeNull();
    }),
  );
});

test('the side channel has no word for a person', () => {
  const box = { track: 'cam-1-7', class: 'stall', score: 0.9, box: [0.1, 0.2, 0.3, 0.4] };
  const boxes = (of: object) => ({ type: 'boxes', at: 1, boxes: [of] });
  expect(checkEdgeLive.Check(boxes(box))).toBe(true);
  expect(checkEdgeLive.Check(boxes({ ...box, class: 'personal_goods' }))).toBe(true);
  expect(checkEdgeLive.Check(boxes({ ...box, class: 'person' }))).toBe(false);
  expect(checkEdgeLive.Check(boxes({ ...box, people: [] }))).toBe(false);
});
