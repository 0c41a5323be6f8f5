export { CaseStateMap, type CommandReceiver } from './cases.ts';
export { LaneCursor } from './cursor.ts';
export { Backoff, RoundTrip } from './rtt.ts';
export { Uplink, type UplinkOptions } from './uplink.ts';
