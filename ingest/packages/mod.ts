export { createModelStore, type ModelStore, ModelsConfig } from './store.ts';
