export { CodecError } from './codec.ts';
export { MediaRing } from './ring.ts';
export { ChangedError } from './sequence.ts';
export type { MediaFragment, MediaInit, MediaListener, MediaStream } from './stream.ts';
export { picturesIn, startOf } from './times.ts';
