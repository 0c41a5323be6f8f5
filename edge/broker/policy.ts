import { createHash, timingSafeEqual } from 'node:crypto';
import type { SiteGateway } from '#grid/mod.ts';
import { parseDeviceTopic } from '#grid/wire/mod.ts';
import type { BrokerPolicy, MqttSession } from '#service/mqtt/mod.ts';
import type { DeviceRegistry } from '../registry.ts';
import type { SensorIntake } from '../sensors/mod.ts';

export interface DevicePolicyDeps {
  registry: DeviceRegistry;
  gateways: readonly SiteGateway[];
  sensors: SensorIntake;
  /** A device (or gateway) has signed in. */
  connected(name: string): void;
}

/** What comes down to a device. Not what it sends itself: nobody's slow reading may hold up anybody's writing. */
const DOWN_EXPRESSION = /^devices\/([A-Za-z0-9_-]{1,64})\/(?:command|config)$/;

interface Account {
  secret: Buffer;
  /** The ids that it may write under. */
  devices: ReadonlySet<string>;
}

/**
 * Who may do what at the edge's broker: a device writes under its own id, a gateway under those of its devices.
 * A wrong id ends the connection; a payload that cannot be used does not, because a refusal would make the device
 * repeat it for ever.
 */
export function createDevicePolicy({ registry, gateways, sensors, connected }: DevicePolicyDeps): BrokerPolicy {
  const accounts = new Map<string, Account>();
  for (const { device } of registry.values())
    accounts.set(device.id, { secret: digest(device.secret), devices: new Set([device.id]) });
  for (const g of gateways) accounts.set(g.id, { secret: digest(g.secret), devices: new Set(g.devices) });
  /** Compared against when the name is unknown, so that the time does not tell. */
  const nobody = digest('');

  const may = (session: MqttSession, device: string) => accounts.get(session.username)?.devices.has(device) ?? false;
  return {
    authenticate({ username }, password) {
      const account = accounts.get(username);
      return timingSafeEqual(digest(password), account?.secret ?? nobody) && account !== undefined;
    },
    async publish(session, { topic, payload }) {
      const target = parseDeviceTopic(topic);
      if (target === null || !may(session, target.device))
        throw new Error(`${session.username} may not write ${topic.slice(0, 128)}`);
      if (target.channel === 'telemetry') await sensors.accept(session.username, target.device, topic, payload);
      else await sensors.announced(session.username, target.device, topic, payload);
    },
    connected: ({ username }) => connected(username),
    subscribe(session, filter) {
      const own = DOWN_EXPRESSION.exec(filter);
      return own !== null && may(session, own[1] as string);
    },
  };
}

function digest(secret: string | Buffer): Buffer {
  return createHash('sha256').update(secret).digest();
}
