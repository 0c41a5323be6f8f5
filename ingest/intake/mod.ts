export { createEmbeddedPort, type EmbeddedPort, type EmbeddedPortOptions } from './embedded.ts';
export { createExternalPort, type ExternalPortOptions } from './external.ts';
export { createIntake, type IntakeDeps } from './intake.ts';
export { IntakeLimits } from './limits.ts';
export type { FrameReceiver, IntakePort } from './port.ts';
