import { type TSchema, Type } from 'typebox';
import { ErrorAnswer, Time } from '#grid/api/mod.ts';
import { Id } from '#grid/mod.ts';

/** What requests say. What answers hold stands in grid/api, for the console reads it there, too. */
export * from '#grid/api/mod.ts';

export const strict = { additionalProperties: false } as const;
export const IdParams = Type.Object({ id: Id() }, strict);
export const Limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 100 }));
export const Cursor = Type.Optional(
  Type.String({ pattern: '^[A-Za-z0-9_-]{1,256}$', description: '`cursor` of the page before' }),
);
/** `2:0501`, `1:0102`, `1:0102:cover_open`. */
export const ClassPrefix = Type.String({ pattern: '^[12]:[0-9]{4}(:[A-Za-z0-9_-]{1,64})?$' });

/** Answers of a route: its own, and a refusal for everything else. */
export const answers = <T extends TSchema>(ok: T, status: 200 | 201 | 204 = 200) => ({
  [status]: ok,
  '4xx': ErrorAnswer,
  '5xx': ErrorAnswer,
});
export const HistoryQuery = Type.Object({ since: Type.Optional(Time), limit: Limit }, strict);
