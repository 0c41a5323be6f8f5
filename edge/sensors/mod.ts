export { SensorIntake, type SensorIntakeDeps } from './intake.ts';
export { DeviceTimes, type GivenTime } from './times.ts';
