import type { TSchema } from 'typebox';
import { Settings } from 'typebox/system';

/** One mistake in a configuration or a document: where, what stands there, what should. */
export interface ConfigMistake {
  key: string;
  value: unknown;
  message: string;
}

/** The library looks for 8 at most by itself, and the alternatives of a union share them. */
const ERRORS_MAX = 1_000;
const MISTAKES_MAX = 100;
/** A longer list of what is allowed is cut. */
const ALLOWED_CHARS_MAX = 300;
Settings.Set({ maxErrors: ERRORS_MAX });

interface SchemaError {
  keyword: string;
  schemaPath: string;
  instancePath: string;
  message: string;
  params: unknown;
}

/** A compiled schema. */
interface Check {
  Type(): TSchema;
  Errors(value: unknown): Iterable<SchemaError>;
}

/**
 * Key and value of what breaks a schema; `check` has said that something does. Where `filled`, defaults have been filled in:
 * those of an alternative only are when it fits, and what has one is not required.
 */
export function schemaMistakes(check: Check, value: unknown, { filled = false } = {}): ConfigMistake[] {
  // `additionalProperties` names an unknown key; the 'boolean' error beside it says the same again.
  let errors = [...check.Errors(value)].filter((e) => e.keyword !== 'boolean');
  // A union is told after its alternatives, an inner one before the one that it lies in.
  for (const union of errors.filter((e) => e.keyword === 'anyOf')) errors = withUnionDecided(errors, union);
  const schema = check.Type();
  const isFilled = (e: SchemaError, key: string) => filled && hasDefault(schema, e.schemaPath, key);
  return dedupe(errors.slice(0, MISTAKES_MAX).flatMap((e) => toMistakes(value, e, (key) => isFilled(e, key))));
}

/** Of the alternatives of a union the one that was meant: what is wrong with the others is no mistake. */
function withUnionDecided(errors: readonly SchemaError[], union: SchemaError): SchemaError[] {
  const at = union.instancePath;
  const prefix = `${union.schemaPath}/anyOf/`;
  const isOfUnion = (e: SchemaError) =>
    e.schemaPath.startsWith(prefix) && (e.instancePath === at || e.instancePath.startsWith(`${at}/`));
  const alternatives = [
    ...Map.groupBy(errors.filter(isOfUnion), (e) => Number.parseInt(e.schemaPath.slice(prefix.length), 10)).values(),
  ];
  const decided = alternatives.length === 0 ? [union] : decide(alternatives, at);
  return errors.flatMap((e) => (e === union ? decided : isOfUnion(e) ? [] : [e]));
}

function decide(alternatives: readonly SchemaError[][], at: string): SchemaError[] {
  // An object is not a text, whatever else is wrong with it.
  const ofKind = alternatives.filter((errors) => !errors.some((e) => e.instancePath === at && isAboutWhole(e)));
  if (ofKind.length === 0) return [merged(alternatives.flat().filter((e) => e.instancePath === at && isAboutWhole(e)))];
  const tag = tagOf(ofKind, at);
  const tagged = ofKind.filter((errors) => !errors.some((e) => e.instancePath === tag && isChoice(e)));
  if (tagged.length === 0) return [merged(ofKind.flat().filter((e) => e.instancePath === tag && isChoice(e)))];
  return tagged.reduce((best, errors) => (errors.length < best.length ? errors : best));
}

/** The key by which objects of a union are told apart, as a path: all of them but one at most object to what it says. */
function tagOf(alternatives: readonly SchemaError[][], at: string): string | null {
  if (alternatives.length < 2) return null;
  const isDirect = (e: SchemaError) => isChoice(e) && e.instancePath.lastIndexOf('/') === at.length && e.instancePath !== at;
  const objections = alternatives.flatMap((errors) => [...new Set(errors.filter(isDirect).map((e) => e.instancePath))]);
  return objections.find((path) => objections.filter((p) => p === path).length >= alternatives.length - 1) ?? null;
}

const isChoice = ({ keyword }: SchemaError) => keyword === 'const' || keyword === 'enum';
const isAboutWhole = (e: SchemaError) => isChoice(e) || e.keyword === 'type';

/** Several errors about one value as one: what it may be. */
function merged(errors: readonly SchemaError[]): SchemaError {
  const [first] = errors as [SchemaError];
  const allowed = errors.filter(isChoice).flatMap(allowedBy);
  if (allowed.length > 0) return { ...first, keyword: 'enum', params: { allowedValues: allowed } };
  const types = errors.flatMap((e) => (e.params as { type: string | string[] }).type);
  return { ...first, message: `must be ${[...new Set(types)].join(' or ')}` };
}

function allowedBy({ params }: SchemaError): unknown[] {
  const { allowedValue, allowedValues } = params as { allowedValue?: unknown; allowedValues?: unknown[] };
  return allowedValues ?? [allowedValue];
}

function toMistakes(root: unknown, error: SchemaError, isFilled: (key: string) => boolean): ConfigMistake[] {
  const at = (extra?: string) => {
    const pointer = extra === undefined ? error.instancePath : `${error.instancePath}/${extra}`;
    return { key: pointer.replace(/^\//, '').replaceAll('/', '.') || '(root)', value: valueAt(root, pointer) };
  };
  const params = (error.params ?? {}) as { additionalProperties?: string[]; requiredProperties?: string[] };
  if (error.keyword === 'additionalProperties' && params.additionalProperties)
    return params.additionalProperties.map((k) => ({ ...at(k), message: 'unknown key' }));
  if (error.keyword === 'required' && params.requiredProperties)
    return params.requiredProperties.filter((k) => !isFilled(k)).map((k) => ({ ...at(k), message: 'is required' }));
  if (isChoice(error)) return [{ ...at(), message: choiceOf(allowedBy(error)) }];
  return [{ ...at(), message: error.message }];
}

function choiceOf(allowed: readonly unknown[]): string {
  const list = allowed.map(String).join(', ');
  return `must be one of: ${list.length > ALLOWED_CHARS_MAX ? `${list.slice(0, ALLOWED_CHARS_MAX)} ...` : list}`;
}

function valueAt(root: unknown, pointer: string): unknown {
  let value = root;
  for (const part of pointer.split('/').slice(1)) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[part.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return value;
}

function hasDefault(schema: TSchema, schemaPath: string, key: string): boolean {
  const property = valueAt(schema, `${schemaPath.slice(1)}/properties/${key}`);
  return typeof property === 'object' && property !== null && 'default' in property;
}

function dedupe(mistakes: ConfigMistake[]): ConfigMistake[] {
  const seen = new Set<string>();
  return mistakes.filter((m) => {
    const id = `${m.key}|${m.message}`;
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}
