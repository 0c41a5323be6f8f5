import { LANES } from '#grid/wire/mod.ts';
import type { World } from './world.ts';

const FAULTS_MS: [number, number] = [6_000, 24_000];

/** What goes wrong, how often, and when it is over (ms). */
const faults: { weight: number; strike(world: World): void; end?(world: World): void; lastsMs?: [number, number] }[] = [
  { weight: 3, strike: ({ network }) => network.cut() },
  {
    weight: 2,
    strike: ({ network }) => {
      network.link = 'cut';
      network.cut();
    },
    end: ({ network }) => {
      network.link = 'ok';
    },
    lastsMs: [200, 8_000],
  },
  {
    weight: 3,
    strike: ({ network }) => {
      network.link = 'hole';
    },
    end: ({ network }) => {
      network.link = 'ok';
    },
    lastsMs: [200, 15_000],
  },
  {
    weight: 2,
    strike: ({ network, time }) => {
      network.latencyMs = time.random.pick<[number, number]>([
        [1, 5],
        [100, 400],
        [1, 900],
      ]);
    },
  },
  { weight: 2, strike: ({ network }) => network.restart() },
  {
    weight: 1,
    strike: ({ network }) => {
      network.refuses = true;
      network.cut();
    },
    end: ({ network }) => {
      network.refuses = false;
    },
    lastsMs: [500, 8_000],
  },
  {
    weight: 3,
    strike: (world) => world.crashEdge(),
    end: (world) => void world.startEdge(),
    lastsMs: [50, 3_000],
  },
  {
    weight: 3,
    strike: (world) => world.crashCentre(),
    end: (world) => void world.startCentre(),
    lastsMs: [50, 4_000],
  },
  {
    weight: 1,
    strike: (world) => {
      world.crashEdge();
      world.crashCentre();
      world.network.restart();
    },
    end: (world) => {
      void world.startEdge();
      void world.startCentre();
    },
    lastsMs: [50, 4_000],
  },
  {
    // The box is swapped for an empty one, or its disk restored: sequence numbers are given again, to other rows.
    weight: 4,
    strike: (world) => {
      world.crashEdge();
      world.replaceDisk();
    },
    end: (world) => void world.startEdge(),
    lastsMs: [20, 1_000],
  },
  {
    weight: 3,
    strike: ({ stores, time }) => stores.away.add(time.random.pick(LANES)),
    end: ({ stores }) => stores.away.clear(),
    lastsMs: [500, 6_000],
  },
  {
    weight: 1,
    strike: ({ stores, time }) => {
      stores.slowMs = time.random.pick([0, 200, 1_500]);
    },
  },
  {
    weight: 1,
    strike: ({ disk, time }) => {
      disk.state = time.random.pick(['full', 'broken'] as const);
    },
    end: ({ disk }) => {
      disk.state = 'ok';
    },
    lastsMs: [100, 3_000],
  },
  { weight: 1, strike: (world) => world.dropOldest(world.time.random.integer(1, 20)) },
  {
    weight: 1,
    strike: ({ edgeMachine, centreMachine, time }) => {
      time.random.pick([edgeMachine, centreMachine]).stepMs = time.random.integer(-3_600_000, 3_600_000);
    },
  },
];
const urn = faults.flatMap((fault) => Array.from({ length: fault.weight }, () => fault));

/** Devices send, and things go wrong, for half a minute; all of it drawn from the world's seed. */
export async function randomSchedule(world: World): Promise<void> {
  const { time, network, stores } = world;
  const { random } = time;
  network.trouble = {
    drop: random.pick([0, 0.02, 0.2]),
    duplicate: random.pick([0, 0.02, 0.2]),
    late: random.pick([0, 0.1, 0.4]),
  };
  stores.lostAnswer = random.pick([0, 0.02, 0.2]);
  for (let i = random.integer(1, 2); i > 0; i--) await world.startCentre();
  await world.startEdge();
  const end = random.between(...FAULTS_MS);
  // A busy one fills the window and the memory; a troubled one has many faults.
  const busy = random.chance(0.1);
  const everyMs = busy ? random.between(20, 60) : random.between(150, 900);
  const faultMs = busy ? random.between(2_000, 8_000) : random.between(600, 4_000);
  let [nextAppend, nextFault] = [0, random.between(0, faultMs)];
  while (time.now < end) {
    await time.run(Math.min(nextAppend, nextFault, end));
    if (time.now >= nextAppend) {
      void world.append(random.chance(0.6) ? 'readings' : random.pick(LANES), random.integer(1, random.chance(0.1) ? 40 : 6));
      nextAppend = time.now + random.between(0, 2 * everyMs);
    }
    if (time.now >= nextFault) {
      strike(world);
      nextFault = time.now + random.between(0, 2 * faultMs);
    }
  }
}

function strike(world: World): void {
  const { random } = world.time;
  const fault = random.pick(urn);
  world.fault();
  fault.strike(world);
  const { end, lastsMs } = fault;
  if (end && lastsMs) setTimeout(() => end(world), random.between(...lastsMs));
}
