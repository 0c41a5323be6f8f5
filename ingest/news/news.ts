import { EventEmitter } from 'node:events';
import { type Clock, Counter, type Log, type Metrics } from '#service/mod.ts';
import type { CaseService } from '../cases/mod.ts';
import type { DatabaseConfig } from '../database/mod.ts';
import type { DeviceService } from '../devices/mod.ts';
import { Relay } from './relay.ts';
import type { News, NewsItem } from './types.ts';

export interface NewsDependencies {
  /** With PostgreSQL there may be other replicas. */
  config: DatabaseConfig;
  cases: Pick<CaseService, 'on'>;
  devices: Pick<DeviceService, 'on'>;
  clock: Clock;
  log: Log;
  metrics: Metrics;
}

/** Builds the news of the centre; cases and devices must be started before it, and stopped after it. */
export function createNews(dependencies: NewsDependencies): News {
  return new CentreNews(dependencies);
}

class CentreNews implements News {
  readonly #deps: NewsDependencies;
  readonly #relay: Relay;
  readonly #emitter = new EventEmitter<{ item: [NewsItem]; missed: [] }>();
  #unsubscribe: (() => void)[] = [];

  constructor(dependencies: NewsDependencies) {
    this.#deps = dependencies;
    const { config, clock, log, metrics } = dependencies;
    const missed = new Counter({
      name: 'gewu_news_missed_total',
      help: 'Times that news of other replicas may have been missed, so that clients were told to read anew',
      registers: [metrics],
    });
    const onMissed = () => {
      missed.inc();
      this.#emitter.emit('missed');
    };
    this.#relay = new Relay({ config, clock, log, onItem: (item) => this.#emitter.emit('item', item), onMissed });
  }

  async start(): Promise<void> {
    const { cases, devices } = this.#deps;
    this.#unsubscribe = [
      cases.on('change', (data) => this.#tell({ topic: data.of, data })),
      devices.on('change', (data) => this.#tell({ topic: 'health', data })),
    ];
    await this.#relay.start();
  }

  async stop(): Promise<void> {
    for (const off of this.#unsubscribe) off();
    this.#unsubscribe = [];
    await this.#relay.stop();
  }

  on(event: 'item', listener: (item: NewsItem) => void): () => void;
  on(event: 'missed', listener: () => void): () => void;
  on(event: 'item' | 'missed', listener: (item: NewsItem) => void): () => void {
    this.#emitter.on(event, listener);
    return () => this.#emitter.off(event, listener);
  }

  #tell(item: NewsItem): void {
    this.#emitter.emit('item', item);
    this.#relay.tell(item);
  }
}
