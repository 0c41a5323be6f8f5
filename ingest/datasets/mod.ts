export { createDatasets, type Datasets } from './datasets.ts';
