import { parseDeviceTopic } from '#grid/wire/mod.ts';
import type { BrokerPolicy } from '#service/mqtt/mod.ts';
import type { Accounts } from '../accounts.ts';
import type { Mappings } from '../mapping/mod.ts';
import type { SensorIntake } from '../sensors/mod.ts';

export interface DevicePolicyDeps {
  accounts: Accounts;
  mappings: Mappings;
  sensors: SensorIntake;
  /** A device (or gateway) has signed in. */
  connected(name: string): void;
}

/** What comes down to a device. Not what it sends itself: nobody's slow reading may hold up anybody's writing. */
const DOWN_EXPRESSION = /^devices\/([A-Za-z0-9_-]{1,64})\/(?:command|config)$/;

/**
 * Who may do what at the edge's broker: a device writes under its own id, a gateway under those of its devices and on
 * the topics of the mappings. A wrong id in a topic of ours ends the connection; a payload that cannot be used does not,
 * because a refusal would make the device repeat it for ever.
 */
export function createDevicePolicy({ accounts, mappings, sensors, connected }: DevicePolicyDeps): BrokerPolicy {
  return {
    authenticate: ({ username }, password) => accounts.match(username, password),
    publish({ username }, { topic, payload }) {
      const target = parseDeviceTopic(topic);
      const speaksFor = (device: string) => accounts.speaksFor(username, device);
      if (target !== null && speaksFor(target.device)) {
        const { device, channel } = target;
        return channel === 'telemetry'
          ? sensors.accept(username, device, topic, payload)
          : sensors.announced(username, device, topic, payload);
      }
      const mapped = target === null ? mappings.takeMessage({ sender: username, topic, payload, speaksFor }) : null;
      return mapped ?? Promise.reject(new Error(`${username} may not write ${topic.slice(0, 128)}`));
    },
    connected: ({ username }) => connected(username),
    subscribe({ username }, filter) {
      const own = DOWN_EXPRESSION.exec(filter);
      return own !== null && accounts.speaksFor(username, own[1] as string);
    },
  };
}
