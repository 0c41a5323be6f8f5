export { fromGcj02, toGcj02 } from './gcj02.ts';
