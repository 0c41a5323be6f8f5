export { DeviceTable, type DeviceView } from './table.ts';
export { rainAt, type Shower, Storage, skyLux, trafficAt } from './weather.ts';
export { World, type WorldIncident, type WorldOptions } from './world.ts';
