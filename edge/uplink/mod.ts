export { CaseStateMap } from './cases.ts';
export { CommandDispatcher, type CommandReceiver } from './commands.ts';
export type { Client, Connect } from './connection.ts';
export { LaneCursor, type Rows } from './cursor.ts';
export { Backoff, RoundTrip } from './rtt.ts';
export { Uplink, type UplinkOptions } from './uplink.ts';
export { type Acked, Window, type WindowLimits } from './window.ts';
