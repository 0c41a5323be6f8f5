import { connect } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { connectPacket, PacketReader, PINGREQ } from '#simulators/load/packets.ts';

/** Pings a broker every 5 ms for a while, in a thread of its own: a main thread that stands still would not send what it delays. */
const { port, forMs } = workerData as { port: number; forMs: number };
const PINGRESP = 13;
const socket = connect(port, '127.0.0.1').setNoDelay(true);
const reader = new PacketReader();
const [sent, tookMs]: [number[], number[]] = [[], []];

socket.on('data', (chunk) =>
  reader.push(chunk, (type) => {
    if (type === PINGRESP) tookMs.push(performance.now() - (sent.shift() as number));
    else begin();
  }),
);
socket.write(connectPacket({ id: 'pinger', username: 'pinger', password: 'p' }));

function begin(): void {
  const timer = setInterval(() => {
    sent.push(performance.now());
    socket.write(PINGREQ);
  }, 5);
  setTimeout(() => {
    clearInterval(timer);
    // What is still under way counts with the time that it has taken so far.
    const now = performance.now();
    parentPort?.postMessage([...tookMs, ...sent.map((at) => now - at)].sort((a, b) => a - b));
    socket.destroy();
  }, forMs);
}
