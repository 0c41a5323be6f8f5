export { ofRaised } from './raised.ts';
export { createVerdicts, type Verdicts } from './verdicts.ts';
