// Works a third of a millisecond for each message of its parent, and tells at the end in how many groups they came.
import { InputGather } from '#service/mod.ts';

const WORK_MS = 0.3;
const counts = { messages: 0, groups: 0 };
let inGroup = false;

process.on('message', (message) => {
  if (message === 'end') {
    process.send?.(counts, () => process.exit(0));
    return;
  }
  counts.messages++;
  if (!inGroup) {
    inGroup = true;
    counts.groups++;
    setImmediate(() => {
      inGroup = false;
    });
  }
  for (const until = performance.now() + WORK_MS; performance.now() < until; );
});

if (process.argv[2] === 'gathers') await new InputGather().start();
process.send?.('ready');
