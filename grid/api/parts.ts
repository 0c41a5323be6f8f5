import { type TSchema, Type } from 'typebox';

/** What the answers are made of. */

export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
/** UTC ms. */
export const Time = Type.Integer({ minimum: 0, maximum: 4_102_444_800_000, description: 'UTC ms' });
export const CellCode = Type.String({ pattern: '^[0-9]{15}$' });
export const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });
export const Word = Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' });

const strict = { additionalProperties: false } as const;
export const pageOf = <T extends TSchema>(item: T) =>
  Type.Object(
    { items: Type.Array(item), cursor: nullable(Type.String({ description: 'of the next page; null on the last' })) },
    strict,
  );
export const listOf = <T extends TSchema>(item: T) => Type.Object({ items: Type.Array(item) }, strict);
