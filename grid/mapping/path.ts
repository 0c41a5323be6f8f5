import type { JsonObject } from '../codecs/mod.ts';

/** Names with dots between, array elements by number, `\.` for a dot in a name: `data.items.0.value`. */
export const PATH_PATTERN = '^(?:[^.\\\\\\u0000]|\\\\[.\\\\])+(?:\\.(?:[^.\\\\\\u0000]|\\\\[.\\\\])+){0,7}$';
export type Path = readonly string[];

/** `text` fits PATH_PATTERN. */
export function parsePath(text: string): Path {
  return (text.match(/(?:[^.\\]|\\.)+/g) ?? []).map((name) => name.replace(/\\(.)/g, '$1'));
}

/**
 * The value at a path in the first of these objects that has its first name: an element of an array stands before the
 * object around it. Own properties only: nothing of a prototype can be reached.
 */
export function valueAt(scopes: readonly JsonObject[], path: Path): unknown {
  let value: unknown = scopes.find((s) => Object.hasOwn(s, path[0] as string));
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
