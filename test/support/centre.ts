import { ackTopic, type DecodedFrame, decodeFrame, type FrameHeader, parseUpTopic } from '#grid/wire/mod.ts';
import { createMetrics, silentLog } from '#service/mod.ts';
import { createBroker, type MqttBroker } from '#service/mqtt/mod.ts';
import { BROKER_LIMITS } from './limits.ts';

/** A frame as it came in, with its records. */
export interface SeenFrame extends FrameHeader {
  records: string[];
}

/**
 * The far end of an uplink on a real broker: collects frames and answers them as told.
 * `answer` gives the acks to send for a frame; the default acknowledges exactly it.
 */
export class FakeCentre {
  readonly frames: SeenFrame[] = [];
  readonly port: number;
  password = 'edge-password';
  answer: (frame: SeenFrame) => object[] = ({ epoch, lane, first, last }) => [{ epoch, lane, first, last }];
  #broker: MqttBroker | undefined;

  constructor(port: number) {
    this.port = port;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const broker = createBroker({
      listener: { host: '127.0.0.1', port: this.port },
      limits: { ...BROKER_LIMITS, packetBytesMax: 512 * 1024 },
      policy: {
        authenticate: (_session, password) => password.toString() === this.password,
        publish: async ({ username }, { topic, payload }) => this.#take(username, topic, decodeFrame(payload)),
        subscribe: () => true,
      },
      log: silentLog,
      metrics: createMetrics(),
    });
    await broker.start();
    this.#broker = broker;
  }

  async stop(): Promise<void> {
    await this.#broker?.stop();
    this.#broker = undefined;
  }

  /** Records of a lane, as often as they came. */
  records(lane: string): string[] {
    return this.frames.filter((f) => f.lane === lane).flatMap((f) => f.records);
  }

  send(edge: string, topic: string, message: object): void {
    this.#broker?.publish(topic.replace('{edge}', edge), Buffer.from(JSON.stringify(message)), 1);
  }

  #take(edge: string, topic: string, decoded: DecodedFrame): void {
    if (!decoded.ok || parseUpTopic(topic)?.edge !== edge) throw new Error('not a frame');
    const frame = { ...decoded.header, records: decoded.body.toString().split('\n').filter(Boolean) };
    this.frames.push(frame);
    for (const ack of this.answer(frame)) this.#broker?.publish(ackTopic(edge), Buffer.from(JSON.stringify(ack)), 0);
  }
}
