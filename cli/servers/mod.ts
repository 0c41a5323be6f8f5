export * from './influxdb.ts';
export * from './mosquitto.ts';
export * from './postgres.ts';
export * from './process.ts';
