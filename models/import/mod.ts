export { type ImportedDataset, SPLITS, type Split } from './dataset.ts';
export { readDataset, writeSplits } from './read.ts';
