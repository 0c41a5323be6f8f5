export { archiveMistakes, readRange } from './archive.ts';
export { BaseMapConfig, baseMapMistakes, PMTILES_ID, tileOrigins } from './config.ts';
