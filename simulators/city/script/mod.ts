export { CameraDirector, type DirectorTerms } from './cameras.ts';
export { DEVICE_FAULTS, type DeviceFault } from './faults.ts';
export { classOf, ruleOf } from './sensors.ts';
export {
  createStaging,
  type DemoScript,
  demoScript,
  type StagedRound,
  type Staging,
  type StagingOptions,
} from './staging.ts';
