import { CODECS } from '../codecs/mod.ts';
import { DEVICE_KINDS } from '../devices/mod.ts';
import type { FieldType } from '../readings/mod.ts';
import type { MappedField, Mapping } from './mapping.ts';
import { topicExpression } from './topic.ts';

export interface MappingMistake {
  key: string;
  value: unknown;
  message: string;
}

/** What the schema cannot say. */
export function mappingMistakes(mapping: Mapping): MappingMistake[] {
  const { fields, constants = {} } = mapping;
  return [
    ...sourceMistakes(mapping),
    ...timeMistakes(mapping),
    ...Object.entries(fields).flatMap(([name, field]) => fieldMistakes(mapping, name, field)),
    ...Object.entries(constants).flatMap(([name, value]) => constantMistakes(mapping, name, value)),
  ];
}

function sourceMistakes({ from, codec, frame, device }: Mapping): MappingMistake[] {
  const mistakes: MappingMistake[] = [];
  const wrong = (key: string, value: unknown, message: string) => mistakes.push({ key, value, message });
  if ((from.topic === undefined) === (from.path === undefined)) wrong('from', from, 'exactly one of topic and path is wanted');
  if ((device.placeholder === undefined) === (device.path === undefined))
    wrong('device', device, 'exactly one of placeholder and path is wanted');
  if (device.placeholder !== undefined && !from.topic?.split('/').includes(`{${device.placeholder}}`))
    wrong('device.placeholder', device.placeholder, `the topic has no {${device.placeholder}}`);
  if (from.topic !== undefined && topicExpression(from.topic) === null)
    wrong('from.topic', from.topic, 'braces must hold a whole level, each name once');
  if (from.topic?.startsWith('devices/')) wrong('from.topic', from.topic, 'topics below devices/ speak our own format');
  if (frame !== undefined && CODECS.find((c) => c.name === codec)?.binary === false)
    wrong('frame', frame, `the codec ${codec} reads the payload itself`);
  return mistakes;
}

function timeMistakes({ time }: Mapping): MappingMistake[] {
  const key = 'time.timeZone';
  const zone = time?.timeZone;
  if (time?.format === 'local' && zone === undefined) return [{ key, value: zone, message: 'local times need one' }];
  if (zone !== undefined && time?.format !== 'local')
    return [{ key, value: zone, message: `is for the format local, not ${time?.format}` }];
  return zone === undefined || isTimeZone(zone) ? [] : [{ key, value: zone, message: 'no such time zone' }];
}

function fieldMistakes(mapping: Mapping, name: string, field: MappedField): MappingMistake[] {
  const key = `fields.${name}`;
  const types = typesOf(mapping, name);
  if (types.size === 0) return [unknownField(mapping, key, name)];
  const mistakes: MappingMistake[] = [];
  const { values, convert, scale, offset, absolute } = field;
  const arithmetic = Object.entries({ convert, scale, offset, absolute }).filter(([, v]) => v !== undefined);
  for (const [what, value] of arithmetic) {
    if (values) mistakes.push({ key: `${key}.${what}`, value, message: '`values` says it all' });
    else if (!types.has('number')) mistakes.push({ key: `${key}.${what}`, value, message: `${name} is no number` });
  }
  for (const [theirs, ours] of Object.entries(values ?? {}))
    if (!types.has(typeof ours as FieldType))
      mistakes.push({ key: `${key}.values.${theirs}`, value: ours, message: `${name} is a ${[...types].join(' or ')}` });
  return mistakes;
}

function constantMistakes(mapping: Mapping, name: string, value: number | boolean): MappingMistake[] {
  const key = `constants.${name}`;
  const types = typesOf(mapping, name);
  if (types.size === 0) return [unknownField(mapping, key, name)];
  if (!types.has(typeof value as FieldType)) return [{ key, value, message: `${name} is a ${[...types].join(' or ')}` }];
  return Object.hasOwn(mapping.fields, name) ? [{ key, value, message: 'stands in `fields` too' }] : [];
}

function unknownField({ kind }: Mapping, key: string, name: string): MappingMistake {
  return { key, value: name, message: kind === undefined ? 'no kind of device has such a field' : `a ${kind} has no such field` };
}

/** Types that a field of this name has in the mapping's kind, or in any. */
function typesOf({ kind }: Mapping, name: string): Set<FieldType> {
  const kinds = DEVICE_KINDS.filter((k) => kind === undefined || k.kind === kind);
  return new Set(kinds.flatMap(({ fields }) => (Object.hasOwn(fields, name) ? (fields[name]?.type ?? []) : [])));
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
