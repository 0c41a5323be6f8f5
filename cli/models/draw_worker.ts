import { parentPort, workerData } from 'node:worker_threads';
import type { DrawnSet } from '#models/train/mod.ts';
import { writeCityDataset, writeDataset, writeQuietDataset } from '#simulators/mod.ts';

/** What one thread is to draw. */
export interface Drawing {
  drawer: DrawnSet['drawer'];
  options: { out: string; seed: number; images: number };
}

const WRITERS = { street: writeDataset, city: writeCityDataset, quiet: writeQuietDataset };

const { drawer, options } = workerData as Drawing;
await WRITERS[drawer](options, (done) => parentPort?.postMessage(done));
