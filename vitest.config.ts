import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest_first.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A busy machine needs longer; what is wrong is told long before.
    testTimeout: 60_000,
    hookTimeout: 90_000,
    // A third would save a minute; with it some of those that start many processes come too late.
    maxWorkers: 2,
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    // Of the processes that tests start, as ./gewu gives it to its own.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/gewu') },
  },
});
