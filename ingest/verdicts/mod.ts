export { createVerdicts, type Verdicts } from './verdicts.ts';
