export { DEVICE_FAULT_KINDS, type DeviceFaultKind, FaultyDevice, faultsToldOf, type Outgoing, type Sound } from './device.ts';
export { FaultProxy, type FaultProxyOptions, type LinkFault } from './proxy.ts';
export { createSchedule, FAULTS, type Fault, type ScheduledFault, type SchedulePlan, type Targets } from './schedule.ts';
