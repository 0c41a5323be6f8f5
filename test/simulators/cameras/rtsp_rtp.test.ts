import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ManualClock } from '#service/mod.ts';
// These are tested below the folder's door: the packer's bytes are the contract with every decoder, and no network
// can be made slow to the byte.
import { RtpStream, rtpTime } from '../../../simulators/cameras/rtsp/rtp.ts';
import { MediaSender } from '../../../simulators/cameras/rtsp/sender.ts';
import { depacketize, fakeUnit, parseRtp } from './rtsp_support.ts';

function split(wire: Buffer) {
  const packets: Buffer[] = [];
  for (let at = 0; at < wire.length; at += 4 + wire.readUInt16BE(at + 2))
    packets.push(wire.subarray(at + 4, at + 4 + wire.readUInt16BE(at + 2)));
  return packets;
}

it('gives back every NAL unit of any size, in packets of bounded size with one marker', () => {
  const nal = fc
    .tuple(fc.constantFrom(0x67, 0x68, 0x65, 0x41), fc.integer({ min: 1, max: 9000 }), fc.nat(255))
    .map(([head, bytes, fill]) => Buffer.concat([Buffer.from([head]), Buffer.alloc(bytes - 1, fill)]));
  fc.assert(
    fc.property(fc.array(nal, { minLength: 1, maxLength: 5 }), fc.nat(65_535), (nals, sequence) => {
      const wire = new RtpStream(0, 1, sequence).packetize({ nals }, 1234);
      const packets = split(wire).map(parseRtp);
      expect(Buffer.concat(depacketize(packets)).equals(Buffer.concat(nals))).toBe(true);
      expect(Math.max(...packets.map((p) => p.payload.length))).toBeLessThanOrEqual(1400);
      expect(packets.map((p) => p.marker)).toEqual(packets.map((_, i) => i === packets.length - 1));
      expect(packets.map((p) => p.sequence)).toEqual(packets.map((_, i) => (sequence + i) % 65_536));
    }),
  );
});

it('reports what it sent, with the same moment in both clocks (RFC 3550 section 6.4.1)', () => {
  const stream = new RtpStream(2, 0xdeadbeef, 7);
  stream.packetize({ nals: [Buffer.alloc(100, 1), Buffer.alloc(3000, 2)] }, 90);
  const report = stream.senderReport(1_700_000_000_500, 4711, 'cam');
  expect([report[0], report[1], report.readUInt16BE(2)]).toEqual([0x24, 3, report.length - 4]);
  expect([report[5], report.readUInt16BE(6), report.readUInt32BE(8)]).toEqual([200, 6, 0xdeadbeef]);
  expect(report.readUInt32BE(12)).toBe(1_700_000_000 + 2_208_988_800);
  expect(report.readUInt32BE(16)).toBe(2 ** 31);
  expect(report.readUInt32BE(20)).toBe(4711);
  // 100 B alone; 3000 B in three fragments with two bytes of FU header each, less the NAL header that these carry.
  expect([report.readUInt32BE(24), report.readUInt32BE(28)]).toEqual([4, 100 + 2999 + 6]);
  expect([report[33], (report.readUInt16BE(34) + 1) * 4]).toEqual([202, report.length - 32]);
});

it('wraps its 32-bit clock', () => {
  expect(rtpTime(1000, 2 ** 32 - 1)).toBe(89_999);
});

it('leaves pictures out while too much waits, goes on with a key picture, and gives up in the end', () => {
  const clock = new ManualClock();
  const sent: Buffer[] = [];
  let [waiting, closed] = [0, ''];
  const sink = {
    write: (bytes: Buffer) => sent.push(bytes),
    backlogBytes: () => waiting,
    close: (reason: string) => {
      closed = reason;
    },
  };
  const limits = { backlogBytesMax: 1000, behindMsMax: 5000 };
  const sender = new MediaSender({ stream: new RtpStream(0, 1, 0), timestampOffset: 0, sink, limits, clock });
  const sends = (key: boolean) => {
    const before = sent.length;
    sender.send(fakeUnit(key, 1));
    return sent.length > before;
  };
  expect([sends(false), sends(true), sends(false)]).toEqual([false, true, true]);
  waiting = 1001;
  expect([sends(false), sends(true)]).toEqual([false, false]);
  waiting = 1000;
  expect([sends(false), sends(true), sends(false)]).toEqual([false, true, true]);
  expect(sender.skipped).toBe(2);
  waiting = 1001;
  sends(true);
  clock.advance(5000);
  sends(true);
  expect(closed).toBe('');
  clock.advance(1);
  sends(true);
  expect(closed).toBe('slow client');
});
