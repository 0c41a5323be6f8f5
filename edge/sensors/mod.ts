export { SensorIntake, type SensorIntakeDeps } from './intake.ts';
export { DeviceTimes, type GivenTime, type SampleClaim } from './times.ts';
