import type { FastifySchemaCompiler, FastifyTypeProvider } from 'fastify';
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import { GewuError, schemaMistakes } from '#service/mod.ts';
import { BodyError } from './errors.ts';

/**
 * Checks requests with TypeBox and not with Fastify's own ajv: a schema means the same in a configuration, on the wire
 * and here; nothing in a JSON body is silently turned into another type, and an unknown key is refused, not dropped.
 * Only query strings are converted, because everything in them is text.
 */

/** Gives handlers the types of their schemas. */
export interface TypeBoxProvider extends FastifyTypeProvider {
  validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
  serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
}

export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = Compile(schema);
  const part = httpPart === 'querystring' ? 'query' : (httpPart ?? 'request');
  return (input: unknown) => {
    const value = httpPart === 'querystring' ? Value.Default(schema, convertQuery(schema, input)) : input;
    if (!check.Check(value)) {
      const first = [...check.Errors(value)].find((e) => e.keyword !== 'boolean');
      const where = `${part}${first?.instancePath.replaceAll('/', '.') ?? ''}`;
      const message = `${where} ${first?.message ?? 'breaks the schema'}${detail(first)}`;
      return {
        error:
          httpPart === 'body'
            ? new BodyError(message, schemaMistakes(check, value))
            : new GewuError('GEWU_REQUEST_INVALID', message),
      };
    }
    const unfit = unfitFor(value);
    if (unfit !== null) return { error: new GewuError('GEWU_REQUEST_INVALID', `${part} contains ${unfit}`) };
    return { value };
  };
};

function detail(error: { params?: unknown } | undefined): string {
  const { additionalProperties } = (error?.params ?? {}) as { additionalProperties?: string[] };
  return additionalProperties ? `: ${additionalProperties.join(', ').slice(0, 200)}` : '';
}

interface PropertySchema {
  type?: string;
  items?: PropertySchema;
}

/** Text to what the schema wants; what does not fit stays text, and the check names it. */
function convertQuery(schema: TSchema, input: unknown): unknown {
  const properties = (schema as { properties?: Record<string, PropertySchema> }).properties ?? {};
  const query = { ...(input as Record<string, unknown>) };
  for (const [key, value] of Object.entries(query)) {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (property !== undefined && typeof value === 'string') query[key] = convert(property, value);
  }
  return query;
}

function convert({ type, items }: PropertySchema, text: string): unknown {
  if (type === 'array') return text.split(',').map((part) => (items ? convert(items, part) : part));
  if ((type === 'integer' || type === 'number') && /^-?[0-9]{1,16}(\.[0-9]{1,16})?$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

/**
 * What no store keeps although a schema allows it: PostgreSQL has no NUL in a text, and beyond 2^53 a whole number is no
 * longer the one that was sent. Only ever called on what a schema has bounded.
 */
function unfitFor(value: unknown): string | null {
  if (typeof value === 'string') return value.includes('\u0000') ? 'a NUL character' : null;
  if (typeof value === 'number') return Math.abs(value) > Number.MAX_SAFE_INTEGER ? `the number ${value}` : null;
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, inner] of Object.entries(value)) {
    const unfit = unfitFor(key) ?? unfitFor(inner);
    if (unfit !== null) return unfit;
  }
  return null;
}
