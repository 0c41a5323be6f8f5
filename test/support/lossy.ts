import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

const PUBLISH = 3;

/**
 * A target that lies: it acknowledges every message of a device, and passes on all but those that `drops` picks by the number
 * in which they came through. Returns its port.
 */
export async function lossyProxy(
  targetPort: number,
  drops: (nth: number) => boolean,
): Promise<{ port: number; dropped(): number }> {
  const open = new Set<Socket>();
  let [published, dropped] = [0, 0];
  const server = createServer((device) => {
    const broker = connect(targetPort, '127.0.0.1');
    for (const socket of [device, broker]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        device.destroy();
        broker.destroy();
      });
    }
    broker.pipe(device);
    let rest = Buffer.alloc(0);
    device.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      for (let packet = cut(rest); packet !== null; packet = cut(rest)) {
        rest = rest.subarray(packet.length);
        const messageId = publishId(packet);
        if (messageId === null || !drops(published++)) {
          broker.write(packet);
          continue;
        }
        dropped++;
        device.write(Buffer.from([0x40, 2, messageId >> 8, messageId & 0xff]));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { port: (server.address() as { port: number }).port, dropped: () => dropped };
}

/** The first whole packet. */
function cut(data: Buffer): Buffer | null {
  let [length, shift] = [0, 0];
  for (let i = 1; i <= 4 && i < data.length; i++, shift += 7) {
    const byte = data[i] as number;
    length += (byte & 0x7f) << shift;
    if (byte < 0x80) return data.length < i + 1 + length ? null : data.subarray(0, i + 1 + length);
  }
  return null;
}

/** Of a PUBLISH with QoS 1. */
function publishId(packet: Buffer): number | null {
  const head = packet[0] as number;
  if (head >> 4 !== PUBLISH || (head & 0x06) !== 0x02) return null;
  let at = 1;
  while ((packet[at++] as number) >= 0x80);
  const topicBytes = packet.readUInt16BE(at);
  return packet.readUInt16BE(at + 2 + topicBytes);
}
