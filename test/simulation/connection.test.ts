import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { Uplink } from '#edge/uplink/mod.ts';
import { silentLog } from '#service/mod.ts';
import { Disk, SimulatedOutbox } from './disk.ts';
import { Network } from './network.ts';
import { EPOCH, record } from './records.ts';
import { SimulatedTime } from './time.ts';

/** An edge with its link and broker, without a centre, in simulated time. */
async function edge(
  seed: number,
  run: (world: { time: SimulatedTime; network: Network; outbox: SimulatedOutbox; uplink: Uplink }) => Promise<void>,
) {
  const time = new SimulatedTime(seed);
  const network = new Network(time);
  time.install();
  const outbox = new SimulatedOutbox({ disk: new Disk(), time, rowsPerTakeMax: () => 10, onRemove: () => undefined });
  const uplink = new Uplink({
    edge: 'edge-01',
    url: 'mqtt://simulated',
    password: 'p',
    outbox,
    commands: { receive: () => undefined },
    clock: time.clock({ stepMs: 0 }, EPOCH),
    log: silentLog,
    metrics: new Registry(),
    connect: network.connect,
  });
  try {
    await uplink.start();
    await run({ time, network, outbox, uplink });
  } finally {
    await uplink.stop();
    time.uninstall();
  }
}

test('a refused edge tries for ever: delays double from half a second to half a minute, and no two edges agree', async () => {
  const tries: number[][] = [];
  for (const seed of [1, 2]) {
    await edge(seed, async ({ time, network }) => {
      network.refuses = true;
      const mine: number[] = [];
      network.onTry = () => mine.push(time.now);
      await time.run(600_000);
      tries.push(mine);
    });
  }
  for (const mine of tries) {
    const delays = mine.slice(1).map((at, i) => at - (mine[i] as number));
    expect(delays[0]).toBeLessThanOrEqual(1_100);
    expect(Math.max(...delays)).toBeLessThanOrEqual(30_100);
    expect(Math.min(...delays.slice(6))).toBeGreaterThanOrEqual(15_000);
    expect(mine.length).toBeGreaterThan(22);
  }
  expect(tries[0]).not.toEqual(tries[1]);
});

test('after a good connection the first reconnect is quick; after a flapping one it is not', async () => {
  await edge(3, async ({ time, network, uplink }) => {
    network.link = 'cut';
    await time.run(120_000);
    network.link = 'ok';
    await time.run(200_000);
    expect(uplink.connected).toBe(true);
    network.cut();
    await time.run(time.now + 35_000, () => uplink.connected);
    // The connection lived for more than 10 s, so the next loss is the first of a new row.
    network.cut();
    const lost = time.now;
    await time.run(time.now + 35_000, () => uplink.connected);
    expect(time.now - lost).toBeLessThan(5_000);
    const ups: number[] = [];
    for (let i = 0; i < 8; i++) {
      network.cut();
      await time.run(time.now + 40_000, () => uplink.connected);
      ups.push(time.now);
    }
    expect((ups[7] as number) - (ups[6] as number)).toBeGreaterThan(10_000);
  });
});

test.each([1, 2, 3, 4, 5])(
  'a hole is noticed 5.5 s after something was sent into it, after 22.5 s without (seed %i)',
  async (seed) => {
    await edge(seed, async ({ time, network, outbox, uplink }) => {
      await time.run(60_000 + 1_000 * seed);
      expect(uplink.connected).toBe(true);
      network.link = 'hole';
      const idle = time.now;
      await time.run(time.now + 60_000, () => !uplink.connected);
      expect(time.now - idle).toBeLessThanOrEqual(22_600);
      network.link = 'ok';
      await time.run(time.now + 60_000, () => uplink.connected);
      await time.run(time.now + 1_000);
      void outbox.append('events', [record('events', 1).body]);
      await time.run(time.now + 2_000);
      network.link = 'hole';
      const busy = time.now;
      void outbox.append('events', [record('events', 2).body]);
      await time.run(time.now + 60_000, () => !uplink.connected);
      // And the time of the disk, which may be slow.
      expect(time.now - busy).toBeLessThanOrEqual(5_500 + 500);
    });
  },
);

test('a centre that never answers sees a few frames at long intervals, not a storm', async () => {
  await edge(9, async ({ time, network, outbox }) => {
    let frames = 0;
    network.onPublish = () => frames++;
    for (let i = 0; i < 100; i++)
      void outbox.append(
        'readings',
        Array.from({ length: 10 }, (_, k) => record('readings', 10 * i + k).body),
      );
    await time.run(60_000);
    frames = 0;
    await time.run(660_000);
    // One frame of the window in 10 s.
    expect(frames).toBeLessThanOrEqual(65);
    expect(frames).toBeGreaterThan(30);
  });
});
