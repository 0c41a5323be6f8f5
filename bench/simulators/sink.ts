import { createServer } from 'node:net';
import { type Ack, ackTopic, decodeFrame, parseUpTopic } from '#grid/wire/mod.ts';
import { PacketReader, publishAtMostOnce } from '#simulators/load/packets.ts';

/**
 * A target that costs as little as one can: it lets everybody in and acknowledges every message, a frame with the
 * application's ack as well. What is measured against it is the generator alone.
 */
const CONNECT = 1;
const PUBLISH = 3;
const SUBSCRIBE = 8;
const CONNACK_BYTES = Buffer.from([0x20, 2, 0, 0]);
const BACKLOG = 20_000;

const server = createServer((socket) => {
  const packets = new PacketReader();
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    const answers: Buffer[] = [];
    packets.push(chunk, (type, body) => {
      if (type === CONNECT) answers.push(CONNACK_BYTES);
      else if (type === SUBSCRIBE) answers.push(Buffer.from([0x90, 3, body[0] as number, body[1] as number, 0]));
      else if (type === PUBLISH) answers.push(...acknowledge(body));
    });
    if (answers.length > 0) socket.write(Buffer.concat(answers));
  });
});

function acknowledge(body: Buffer): Buffer[] {
  const topicBytes = body.readUInt16BE(0);
  const puback = Buffer.from([0x40, 2, body[2 + topicBytes] as number, body[3 + topicBytes] as number]);
  const up = parseUpTopic(body.toString('latin1', 2, 2 + topicBytes));
  if (up === null) return [puback];
  const frame = decodeFrame(body.subarray(4 + topicBytes));
  if (!frame.ok) return [puback];
  const { epoch, lane, first, last } = frame.header;
  const ack: Ack = { epoch, lane, first, last };
  return [puback, publishAtMostOnce(ackTopic(up.edge), Buffer.from(JSON.stringify(ack)))];
}

server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: BACKLOG });
process.on('disconnect', () => process.exit());
