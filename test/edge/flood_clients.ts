import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connectPacket, packet, publishPacket } from '../properties/packets.ts';
import { secretOf } from '../support/edge.ts';

/** Badly behaved clients, in a process of their own: what they cost is theirs, and what the broker loses by them is seen from outside. */

export interface Attack {
  kind: keyof typeof ATTACKS;
  port: number;
  /** Accounts that they use. */
  ids: string[];
  clients: number;
}
/** What a finished attack says. */
export interface AttackReport {
  connected: number;
  sentBytes: number;
  closedByBroker: number;
}

const IDLE_BATCH = 20;
const report: AttackReport = { connected: 0, sentBytes: 0, closedByBroker: 0 };
const sockets = new Set<Socket>();
let over = false;

function open(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  sockets.add(socket);
  socket.once('connect', () => report.connected++);
  socket.on('error', () => undefined);
  socket.on('close', () => {
    sockets.delete(socket);
    if (!over) report.closedByBroker++;
  });
  return socket;
}

const idOf = ({ ids }: Attack, i: number) => ids[i % ids.length] as string;
const hello = (id: string, i: number) => connectPacket({ clientId: `${id}-${i}`, username: id, password: secretOf(id) });

/** Writes as fast as the other side takes it, until the end. */
async function pour(socket: Socket, bytes: Buffer): Promise<void> {
  while (!over && !socket.destroyed) {
    report.sentBytes += bytes.length;
    if (!socket.write(bytes)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => undefined);
  }
}

const sample = (id: string, qos: 0 | 1) => publishPacket(`devices/${id}/telemetry`, '{"tilt_deg":1}', qos);
const many = (bytes: Buffer, count: number) => Buffer.concat(Array<Buffer>(count).fill(bytes));

const ATTACKS = {
  /** Full speed, answers read. */
  async flood(attack: Attack) {
    await each(attack, async (i) => {
      const id = idOf(attack, i);
      const socket = open(attack.port).resume();
      socket.write(hello(id, i));
      await pour(socket, many(sample(id, 1), 500));
    });
  },
  /** Subscribes, publishes with QoS 1, and never reads an answer. */
  async deaf(attack: Attack) {
    await each(attack, async (i) => {
      const id = idOf(attack, i);
      const socket = open(attack.port).pause();
      socket.write(Buffer.concat([hello(id, i), packet(0x82, [0, 1], `devices/${id}/command`, [1])]));
      await pour(socket, many(Buffer.concat([sample(id, 1), packet(0xc0)]), 200));
    });
  },
  /** Leaves a backlog and vanishes, again and again. */
  async vanish(attack: Attack) {
    await each(attack, async (i) => {
      const id = idOf(attack, i);
      const bytes = Buffer.concat([hello(id, i), packet(0x82, [0, 1], `devices/${id}/command`, [1]), many(sample(id, 1), 1_000)]);
      while (!over) {
        const socket = open(attack.port);
        socket.write(bytes);
        report.sentBytes += bytes.length;
        await pause(20);
        socket.resetAndDestroy();
      }
    });
  },
  /** Thousands of connects a second: silent ones, wrong passwords, and some that go at once. */
  async knock(attack: Attack) {
    await each(attack, async (i) => {
      for (let n = 0; !over; n++) {
        const socket = open(attack.port).resume();
        const known = await Promise.race([once(socket, 'connect'), once(socket, 'close')]).then(
          () => !socket.destroyed,
          () => false,
        );
        if (known && n % 3 > 0) socket.write(connectPacket({ clientId: `k-${i}-${n}`, username: 'nobody', password: 'wrong' }));
        if (n % 3 !== 2) socket.resetAndDestroy();
        await pause(1);
      }
    });
  },
  /** Half of a packet, and silence; and packets that declare far too much. */
  async halves(attack: Attack) {
    await each(attack, async (i) => {
      const id = idOf(attack, i);
      while (!over) {
        const socket = open(attack.port).resume();
        const whole = publishPacket(`devices/${id}/telemetry`, Buffer.alloc(60_000, 'x'), 1);
        const huge = Buffer.concat([Buffer.from([0x32, 0xff, 0xff, 0xff, 0x7f]), Buffer.alloc(60_000)]);
        socket.write(Buffer.concat([hello(id, i), i % 2 === 0 ? whole.subarray(0, 59_000) : huge]));
        report.sentBytes += 60_000;
        await Promise.race([pause(300), once(socket, 'close').catch(() => undefined)]);
        socket.resetAndDestroy();
      }
    });
  },
  /** Signed in, and idle. They come as fast as they are let in, so that none is over the broker's rate of connects after a pause. */
  async idle(attack: Attack) {
    for (let first = 0; first < attack.clients && !over; first += IDLE_BATCH) {
      const batch = Array.from({ length: Math.min(IDLE_BATCH, attack.clients - first) }, async (_, n) => {
        const socket = open(attack.port);
        socket.write(hello(idOf(attack, first + n), first + n));
        await Promise.race([once(socket, 'data'), once(socket, 'close')]).catch(() => undefined);
      });
      await Promise.all([...batch, pause(25)]);
    }
  },
};

async function each({ clients }: Attack, run: (i: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: clients }, (_, i) => run(i)));
}

process.on('message', (attack: Attack | 'stop') => {
  if (attack !== 'stop') {
    const running = ATTACKS[attack.kind](attack);
    // Idle ones are an attack when all are there; the others from now on, however long this process took to start.
    const begun = () => process.send?.({ begun: attack.kind });
    if (attack.kind === 'idle') void running.then(begun);
    else begun();
    return;
  }
  over = true;
  for (const socket of sockets) socket.destroy();
  process.send?.(report, () => process.exit(0));
});
process.on('disconnect', () => process.exit(0));
