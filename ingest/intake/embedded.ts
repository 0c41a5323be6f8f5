import {
  type Ack,
  ackTopic,
  type Command,
  type ConfigNotice,
  commandTopic,
  configTopic,
  FRAME_BYTES_MAX,
  parseUpTopic,
} from '#grid/wire/mod.ts';
import { GewuError, type Log, type Metrics } from '#service/mod.ts';
import { type BrokerLimits, createBroker, type Listener, type MqttBroker, type MqttSession } from '#service/mqtt/mod.ts';
import type { FrameReceiver, IntakePort } from './port.ts';

/** Topic and packet head, beside the frame. */
const PACKET_HEAD_BYTES_MAX = 1024;
const LIMITS: BrokerLimits = {
  clientsMax: 2_000,
  connectRatePerSMax: 500,
  packetBytesMax: FRAME_BYTES_MAX + PACKET_HEAD_BYTES_MAX,
  messagesPerSPerClientMax: 1_000,
  connectTimeoutMs: 10_000,
  keepaliveSMax: 3_600,
};

export interface EmbeddedPortOptions {
  listener: Listener;
  /** Whether this is the password of that edge. */
  authenticate(edge: string, password: Buffer): boolean;
  /** Those not given have defaults that fit 500 edges. */
  limits?: Partial<BrokerLimits>;
  log: Log;
  metrics: Metrics;
}

/** The intake's own broker. `listenPort` is known after `start`. */
export interface EmbeddedPort extends IntakePort {
  readonly listenPort: number;
}

/**
 * An edge signs in with its id as user name and as client id; it publishes only `gewu/v1/{own id}/up/{lane}` and subscribes only below
 * `gewu/v1/{own id}/down/`. A message elsewhere ends its connection.
 */
export function createEmbeddedPort(options: EmbeddedPortOptions): EmbeddedPort {
  let receive: FrameReceiver = () => undefined;
  const policy = {
    // A client id of its own: with the id of another edge it would end the connection of that one [MQTT-3.1.4-2].
    authenticate: ({ clientId, username }: MqttSession, password: Buffer) =>
      clientId === username && options.authenticate(username, password),
    // PUBACK at once: it promises nothing here, the application's ack does.
    publish: async ({ username }: MqttSession, { topic, payload }: { topic: string; payload: Buffer }) => {
      if (parseUpTopic(topic)?.edge !== username)
        throw new GewuError('GEWU_FORBIDDEN', `edge ${username} may not publish ${topic}`);
      receive(topic, payload);
    },
    subscribe: ({ username }: MqttSession, filter: string) => filter.startsWith(`gewu/v1/${username}/down/`),
  };
  const { listener, log, metrics } = options;
  const broker: MqttBroker = createBroker({ listener, limits: { ...LIMITS, ...options.limits }, policy, log, metrics });
  return {
    start: () => broker.start(),
    stop: () => broker.stop(),
    ready: () => broker.listening,
    get listenPort() {
      return broker.port;
    },
    onFrame: (receiver) => {
      receive = receiver;
    },
    ack: (edge: string, ack: Ack) => broker.publish(ackTopic(edge), Buffer.from(JSON.stringify(ack)), 0),
    send: (edge: string, command: Command) => broker.publish(commandTopic(edge), Buffer.from(JSON.stringify(command)), 1),
    notify: (notice: ConfigNotice) => broker.publish(configTopic(notice.edge), Buffer.from(JSON.stringify(notice)), 1),
  };
}
