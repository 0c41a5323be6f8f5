export { type Capacity, type CapacitySearch, searchCapacity } from './capacity.ts';
export { type Address, type ConnectionHandlers, LoadConnection, type Login } from './connection.ts';
export { DeviceCarrier } from './devices.ts';
export { EdgeCarrier } from './edges.ts';
export { CONNACK, connectPacket, PacketReader, PINGREQ, PUBACK, publishPacket } from './packets.ts';
export { type PlayOptions, playScenario } from './play.ts';
export { type LoadOptions, type LoadProgress, LoadRun } from './run.ts';
export { Schedule, type Stage } from './schedule.ts';
export { Tally } from './tally.ts';
