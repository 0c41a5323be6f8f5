import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A busy machine needs longer; what is wrong is told long before.
    testTimeout: 60_000,
    hookTimeout: 90_000,
    maxWorkers: 2,
    pool: 'forks',
  },
});
