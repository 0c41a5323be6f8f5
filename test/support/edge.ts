import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { type EdgeConfig, EdgeConfigFile } from '#edge/mod.ts';
import { localPlane, type SiteDevice } from '#grid/mod.ts';
import { checkConfig } from '#service/mod.ts';

const ORIGIN = { lon: 116.42, lat: 39.92 };
const plane = localPlane(ORIGIN);
const corner = (xM: number, yM: number): [number, number] => [plane.toPosition({ xM, yM }).lon, plane.toPosition({ xM, yM }).lat];
export const CELL = '110101001001001';

export const secretOf = (id: string) => `secret-of-${id}`;

/** A manhole cover in the middle of the test's one unit grid. */
export function coverDevice(id: string, serial = 1): SiteDevice {
  const component = `1101010102${String(serial).padStart(6, '0')}`;
  return { id, kind: 'manhole_cover', secret: secretOf(id), component, ...plane.toPosition({ xM: 50, yM: 50 }) };
}

export interface EdgeOptions {
  dataDir: string;
  centreUrl: string;
  devices: SiteDevice[];
  port?: number;
  profile?: string;
  outbox?: object;
}

/** The configuration file of an edge node without cameras; everything not said is as shipped. */
export function edgeFile({ dataDir, centreUrl, devices, port = 0, profile = 'demo', outbox = {} }: EdgeOptions) {
  return {
    version: 1,
    edge: { id: 'edge-01', dataDir, profile },
    broker: { port },
    uplink: { url: centreUrl, password: 'edge-password', apiUrl: 'http://127.0.0.1:9' },
    outbox,
    site: { cells: [{ code: CELL, polygon: [corner(0, 0), corner(100, 0), corner(100, 100), corner(0, 100)] }], devices },
  };
}

export function edgeConfig(options: EdgeOptions): EdgeConfig {
  return {
    ...checkConfig('test', EdgeConfigFile, edgeFile(options)),
    vision: { model: '', workers: 1, filesDir: null, trustedKeys: [] },
    mappings: [],
  } as EdgeConfig;
}

/** A connected MQTT 3.1.1 client; rejects when the broker refuses it. */
export async function mqttClient(port: number, options: IClientOptions): Promise<MqttClient> {
  const client = connect(`mqtt://127.0.0.1:${port}`, { protocolVersion: 4, reconnectPeriod: 0, ...options });
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve());
    client.once('error', reject);
    client.once('close', () => reject(new Error('the broker closed the connection')));
  });
  client.on('error', () => undefined);
  return client;
}

export function deviceClient(port: number, id: string, options: IClientOptions = {}): Promise<MqttClient> {
  return mqttClient(port, { clientId: id, username: id, password: secretOf(id), ...options });
}
