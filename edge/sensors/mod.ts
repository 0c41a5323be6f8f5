export { DeviceReports, type Report, type ReportRule } from './exception.ts';
export { type Announced, type MappedSource, SensorIntake, type SensorIntakeDeps } from './intake.ts';
export { DeviceTimes, type GivenTime, type SampleClaim } from './times.ts';
