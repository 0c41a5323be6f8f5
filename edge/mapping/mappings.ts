import { Mapper, Mapping, mappingMistakes, topicCovers } from '#grid/mod.ts';
import { type Clock, type ConfigMistake, Counter, checkConfig, GewuError, type Metrics, readConfigFile } from '#service/mod.ts';
import type { MappedSource, SensorIntake } from '../sensors/mod.ts';

/** Reads and checks one mapping. Throws GEWU_CONFIG_UNREADABLE, GEWU_CONFIG_INVALID with every mistake. */
export async function loadMapping(file: string): Promise<Mapper> {
  return new Mapper(checkConfig(file, Mapping, await readConfigFile(file), mappingMistakes));
}

/** Mappings of one node that never get anything to read, by their place in its configuration. */
export function mappingConflicts(mappings: readonly Mapping[], { push }: { push: boolean }): ConfigMistake[] {
  return mappings.flatMap(({ mapping, from }, i): ConfigMistake[] => {
    const wrong = (message: string): ConfigMistake[] => [{ key: `mappings.${i}`, value: mapping, message }];
    if (from.path !== undefined && !push) return wrong(`${from.path} is read by HTTP: \`push\` is wanted`);
    const before = mappings.slice(0, i).find(({ from: { topic, path } }) => {
      if (topic !== undefined && from.topic !== undefined) return topicCovers(topic, from.topic);
      return path !== undefined && path === from.path;
    });
    return before ? wrong(`${before.mapping} stands before it and reads all of ${from.topic ?? from.path}`) : [];
  });
}

export interface MappingsDeps {
  mappers: readonly Mapper[];
  sensors: Pick<SensorIntake, 'acceptMapped'>;
  clock: Clock;
  metrics: Metrics;
}

/** The node's mappings: which one reads a topic or a path, and the way of its samples into the intake. */
export class Mappings {
  readonly #deps: MappingsDeps;
  readonly #paths: ReadonlyMap<string, Mapper>;
  readonly #mapped: Counter<'mapping' | 'what'>;

  constructor(deps: MappingsDeps) {
    this.#deps = deps;
    this.#paths = new Map(deps.mappers.flatMap((m) => (m.mapping.from.path === undefined ? [] : [[m.mapping.from.path, m]])));
    this.#mapped = new Counter({
      name: 'gewu_edge_mapped_total',
      help: 'What mappings made of payloads: samples, faults, and fields left out because their value was none',
      labelNames: ['mapping', 'what'],
      registers: [deps.metrics],
    });
  }

  hasPath(path: string): boolean {
    return this.#paths.has(path);
  }

  /** By the first mapping that reads the topic; null when none does. Durable when it resolves. */
  takeMessage(source: MappedSource): Promise<void> | null {
    for (const mapper of this.#deps.mappers) {
      const placeholders = mapper.match(source.topic);
      if (placeholders === null) continue;
      return this.#take(mapper, source, placeholders);
    }
    return null;
  }

  /** Durable when it resolves. Throws GEWU_NOT_FOUND when no mapping reads the path. */
  async takePush(source: MappedSource): Promise<void> {
    const mapper = this.#paths.get(source.topic);
    if (mapper === undefined) throw new GewuError('GEWU_NOT_FOUND', `no mapping reads ${source.topic}`);
    await this.#take(mapper, source, {});
  }

  #take(mapper: Mapper, source: MappedSource, placeholders: Readonly<Record<string, string>>): Promise<void> {
    const mapped = mapper.map(source.payload, { placeholders, nowMs: this.#deps.clock.now() });
    const { mapping } = mapper.mapping;
    this.#mapped.inc({ mapping, what: 'sample' }, mapped.samples.length);
    this.#mapped.inc({ mapping, what: 'fault' }, mapped.faults.length);
    const unusable = mapped.samples.reduce((sum, s) => sum + s.unusable.length, 0);
    this.#mapped.inc({ mapping, what: 'unusable_field' }, unusable);
    return this.#deps.sensors.acceptMapped(source, mapped);
  }
}
