import { createEdgeNode, type EdgeConfig } from '#edge/mod.ts';
import { silentLog, systemClock } from '#service/mod.ts';

/** An edge node in a process of its own, for tests that kill it: takes its configuration and tells its port over IPC. */
process.once('message', async (config: EdgeConfig) => {
  const node = createEdgeNode({ config, log: silentLog, clock: systemClock });
  await node.start();
  process.send?.(node.brokerPort);
});
process.once('disconnect', () => process.exit());
