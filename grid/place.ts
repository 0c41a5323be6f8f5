import { type Static, Type } from 'typebox';

/** WGS-84 degrees. GCJ-02 exists only at a map or import boundary. */
export const Position = Type.Object(
  { lon: Type.Number({ minimum: -180, maximum: 180 }), lat: Type.Number({ minimum: -90, maximum: 90 }) },
  { additionalProperties: false },
);
export type Position = Static<typeof Position>;

/** Where something is, as an event or a case says it. */
export const Place = Type.Object(
  {
    lon: Type.Number({ minimum: -180, maximum: 180 }),
    lat: Type.Number({ minimum: -90, maximum: 90 }),
    /** Radius, metres, within which the true position lies (about 95 %). */
    errorRadiusM: Type.Number({ minimum: 0, maximum: 10_000 }),
    /** Unit grid (万米单元网格), 15 digits. */
    cell: Type.String({ pattern: '^[0-9]{15}$' }),
    /** Component (部件), 16 digits, where one is meant. */
    component: Type.Optional(Type.String({ pattern: '^[0-9]{16}$' })),
  },
  { additionalProperties: false },
);
export type Place = Static<typeof Place>;
