import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { type Ack, ackTopic, decodeFrame, parseUpTopic } from '#grid/wire/mod.ts';
import { publishAtMostOnce } from '#simulators/load/packets.ts';

const PUBLISH = 3;

/** A message on its way: where to, and what. */
interface Message {
  id: number;
  topic: string;
  payload: Buffer;
}

/** What becomes of messages, by the number in which they came through. */
export interface Lies {
  /** Acknowledged, and passed on to nobody. */
  drops?(nth: number, message: Message): boolean;
  /** Passed on with another value. */
  alters?(nth: number): boolean;
}

/** A frame of events in which something ends. */
export function tellsAnEnd({ topic, payload }: Message): boolean {
  if (parseUpTopic(topic)?.lane !== 'events') return false;
  const frame = decodeFrame(payload);
  return frame.ok && frame.body.includes('gewu.event.cleared');
}

/**
 * A target that lies: it acknowledges every message, of a device by PUBACK and of an edge by the application's ack as well,
 * drops some and alters others. Returns its port.
 */
export async function lossyProxy(
  targetPort: number,
  { drops = () => false, alters = () => false }: Lies,
): Promise<{ port: number; dropped(): number; altered(): number }> {
  const open = new Set<Socket>();
  let [published, dropped, altered] = [0, 0, 0];
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
        const message = messageOf(packet);
        const nth = message === null ? 0 : published++;
        if (message !== null && drops(nth, message)) {
          dropped++;
          device.write(answerTo(message));
        } else if (message !== null && alters(nth)) {
          altered++;
          broker.write(withAnotherTilt(packet));
        } else broker.write(packet);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { port: (server.address() as { port: number }).port, dropped: () => dropped, altered: () => altered };
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
function messageOf(packet: Buffer): Message | null {
  const head = packet[0] as number;
  if (head >> 4 !== PUBLISH || (head & 0x06) !== 0x02) return null;
  let at = 1;
  while ((packet[at++] as number) >= 0x80);
  const end = at + 2 + packet.readUInt16BE(at);
  return { id: packet.readUInt16BE(end), topic: packet.toString('utf8', at + 2, end), payload: packet.subarray(end + 2) };
}

function answerTo({ id, topic, payload }: Message): Buffer {
  const puback = Buffer.from([0x40, 2, id >> 8, id & 0xff]);
  const [up, frame] = [parseUpTopic(topic), decodeFrame(payload)];
  if (up === null || !frame.ok) return puback;
  const { epoch, lane, first, last } = frame.header;
  const ack: Ack = { epoch, lane, first, last };
  return Buffer.concat([puback, publishAtMostOnce(ackTopic(up.edge), Buffer.from(JSON.stringify(ack)))]);
}

/** Every kind of device has a tilt: another first digit makes another value of the same length. */
function withAnotherTilt(packet: Buffer): Buffer {
  const other = packet.toString('latin1').replace(/(?<="tilt_deg":)\d/, (digit) => (digit === '0' ? '1' : '0'));
  return Buffer.from(other, 'latin1');
}
