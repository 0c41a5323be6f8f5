export type { ConnectionLimits } from './connection.ts';
export type { Credentials } from './digest.ts';
export { CORRUPT_PROBABILITY, RTSP_FAULTS, type RtspFault, type RtspFaultKind } from './fault.ts';
export type { RtspMount } from './mount.ts';
export { DEFAULT_LIMITS, RtspServer, type RtspServerConfig, type RtspServerDeps } from './server.ts';
export { type AccessUnit, type ParameterSets, parameterSetsOf } from './unit.ts';
