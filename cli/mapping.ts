import { readFile, stat } from 'node:fs/promises';
import {
  DEVICE_KINDS,
  deviceKind,
  type Mapped,
  type MappedSample,
  Mapper,
  Mapping,
  type MappingFault,
  mappingMistakes,
  validatePayload,
} from '#grid/mod.ts';
import { checkConfig, GewuError, readConfigFile } from '#service/mod.ts';
import { type Command, parseFlags, print } from './command.ts';

/** What comes out of a sample, and what the edge would say to it. */
interface Outcome {
  readings: {
    device: string;
    ts: number | null;
    seq: number | null;
    fields: Record<string, number | boolean>;
    firmware: string | null;
    unusable: readonly string[];
  }[];
  faults: { device: string; code: string; reason: string }[];
  unnamed: readonly string[];
}

const SAMPLE_BYTES_MAX = 4 * 1024 * 1024;
const EMPTY_PLACEHOLDERS: Readonly<Record<string, string>> = {};

/** Throws GEWU_CONFIG_UNREADABLE, GEWU_CONFIG_INVALID with every mistake. */
export async function loadMapping(file: string): Promise<Mapping> {
  return checkConfig(file, Mapping, await readConfigFile(file), mappingMistakes);
}

async function testMapping(mapping: Mapping, sample: string, topic: string | undefined): Promise<Outcome> {
  const mapper = new Mapper(mapping);
  const placeholders = placeholdersOf(mapper, topic);
  const payload = await readSample(sample);
  return outcomeOf(mapper, mapper.map(payload, { placeholders, nowMs: Date.now() }));
}

/** Throws GEWU_USAGE when the topic is wanted and missing, or is not one that the mapping reads. */
function placeholdersOf(mapper: Mapper, topic: string | undefined): Readonly<Record<string, string>> {
  const { from, device } = mapper.mapping;
  if (topic === undefined) {
    if (device.placeholder === undefined) return EMPTY_PLACEHOLDERS;
    throw new GewuError('GEWU_USAGE', `the device is in the topic: --topic ${from.topic} with the placeholders filled is needed`);
  }
  const placeholders = mapper.match(topic);
  if (placeholders === null)
    throw new GewuError('GEWU_USAGE', `--topic ${topic}: the mapping reads ${from.topic ?? `HTTP ${from.path}`}`);
  return placeholders;
}

async function readSample(file: string): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > SAMPLE_BYTES_MAX) throw new Error(`${size} bytes, at most ${SAMPLE_BYTES_MAX}`);
    return await readFile(file);
  } catch (cause) {
    throw new GewuError('GEWU_CONFIG_UNREADABLE', `${file}: ${(cause as Error).message}`, { cause });
  }
}

/** The edge checks a reading against its device's kind: so does this, where the mapping names one. */
function outcomeOf(mapper: Mapper, mapped: Mapped): Outcome {
  const kind = mapper.mapping.kind === undefined ? undefined : deviceKind(mapper.mapping.kind);
  const outcome: Outcome = { readings: [], faults: mapped.faults.map(faultOf), unnamed: mapped.unnamed };
  for (const sample of mapped.samples) {
    const { device, object } = sample;
    const checked = kind && validatePayload(kind, object);
    if (checked && !checked.ok) outcome.faults.push({ device, code: checked.code, reason: checked.reason });
    else outcome.readings.push(readingOf(sample));
  }
  return outcome;
}

const faultOf = ({ device, code, reason }: MappingFault) => ({ device, code, reason });

function readingOf({ device, object, firmware, unusable }: MappedSample): Outcome['readings'][number] {
  const { ts = null, seq = null, ...fields } = object;
  return { device, ts: ts as number | null, seq: seq as number | null, fields, firmware: firmware ?? null, unusable };
}

function show({ readings, faults, unnamed }: Outcome, kind: string | undefined): string {
  return [
    ...readings.flatMap(({ device, ts, seq, fields, firmware, unusable }) => [
      `${device}  ${ts === null ? '(time of arrival)' : new Date(ts).toISOString()}${seq === null ? '' : `  seq ${seq}`}`,
      ...Object.entries(fields).map(([name, value]) => `  ${name.padEnd(16)} ${value} ${unitOf(name, kind)}`.trimEnd()),
      ...(firmware === null ? [] : [`  ${'firmware'.padEnd(16)} ${firmware}`]),
      ...unusable.map((name) => `  ${name.padEnd(16)} left out: what stands there is no value of it`),
    ]),
    ...faults.map(({ device, code, reason }) => `${code}: ${device === '' ? '' : `${device}: `}${reason}`),
    ...(unnamed.length > 0 ? [`not used: ${unnamed.join(', ')}`] : []),
    `${readings.length} reading(s), ${faults.length} fault(s)`,
  ].join('\n');
}

/** Of the field in that kind of device, or in the first that has one of this name. */
function unitOf(name: string, kind: string | undefined): string {
  const kinds = DEVICE_KINDS.filter((k) => kind === undefined || k.kind === kind);
  return kinds.flatMap(({ fields }) => (Object.hasOwn(fields, name) ? (fields[name]?.unit ?? []) : []))[0] ?? '';
}

export const mapping: Command = {
  name: 'mapping',
  summary: "try a mapping of a vendor's payloads",
  usage: `usage: gewu mapping test FILE SAMPLE [--topic T] [--json]

FILE is a mapping (docs/mappings.md), SAMPLE a payload as the device or platform sends it, --topic the MQTT topic that it came on.
Shows the readings that come out of it, and what does not fit. Exit status 1 when anything does not.`,
  async run(args) {
    const { values, positionals } = parseFlags(args, { topic: { type: 'string' }, json: { type: 'boolean', default: false } }, 3);
    const [verb, file, sample] = positionals;
    if (verb !== 'test' || file === undefined || sample === undefined)
      throw new GewuError('GEWU_USAGE', 'gewu mapping test FILE SAMPLE [--topic T] [--json]');
    const checked = await loadMapping(file);
    const outcome = await testMapping(checked, sample, values.topic);
    print(values.json ? JSON.stringify(outcome) : show(outcome, checked.kind));
    return outcome.faults.length === 0 ? 0 : 1;
  },
};
