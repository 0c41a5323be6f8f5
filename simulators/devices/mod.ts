export { type DeviceStats, SimulatedDevice, type SimulatedDeviceConfig, type SimulatedDeviceDeps, type Told } from './device.ts';
export { DeviceFleet, type FleetConfig, type FleetDeps, type FleetDevice, type FleetStats, type StagedFault } from './fleet.ts';
export { type Account, babble, type MalformedPayload, malformedPayloads } from './malformed.ts';
export { createSampler, type Fields, type Sampler, type SampleTime, type Surroundings } from './sampler.ts';
export { SeqSet } from './seqs.ts';
