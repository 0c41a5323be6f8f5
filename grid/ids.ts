import { Type } from 'typebox';

/** Devices, edges, cameras, zones, rules: what may stand in a topic, a path and a tag without escaping. */
export const ID_PATTERN = '^[A-Za-z0-9_-]{1,64}$';
export const Id = (description?: string) => Type.String({ pattern: ID_PATTERN, ...(description ? { description } : {}) });

const idExpression = new RegExp(ID_PATTERN);
export function isId(value: unknown): value is string {
  return typeof value === 'string' && idExpression.test(value);
}
