export { type Fetched, type Origin, readOrigin, type VersionItem, writeVersion } from './folder.ts';
export { labelsOf, learnable } from './picture.ts';
