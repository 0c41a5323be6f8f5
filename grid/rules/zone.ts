import { type Static, Type } from 'typebox';
import { Severity } from '../events/event.ts';
import { Id } from '../ids.ts';
import { Raises } from './threshold.ts';

/** A zone rule: a thing of a detected class that stays in the polygon for the dwell time becomes an event. */

/** `HH:MM` in the site's time zone; a window that ends before it begins runs over midnight. */
export const TimeWindow = Type.Object(
  {
    /** 1 Monday .. 7 Sunday; none means every day. */
    days: Type.Optional(Type.Array(Type.Integer({ minimum: 1, maximum: 7 }), { maxItems: 7, uniqueItems: true })),
    from: Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$' }),
    to: Type.String({ pattern: '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$' }),
    /** Only on these days, `YYYY-MM-DD`: holidays, festivals. */
    dates: Type.Optional(
      Type.Array(Type.String({ pattern: '^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$' }), {
        minItems: 1,
        maxItems: 366,
      }),
    ),
  },
  { additionalProperties: false },
);
export type TimeWindow = Static<typeof TimeWindow>;

export const ZoneRule = Type.Object(
  {
    id: Id(),
    /** A class of the model: `stall`, `garbage`, `ponding`, `open_manhole`, `vehicle`. Never `person`. */
    detects: Id(),
    raises: Raises,
    severity: Severity,
    dwellS: Type.Number({ minimum: 0, maximum: 86_400 }),
    /** Gone for so long: the event clears. */
    clearS: Type.Number({ minimum: 0, maximum: 86_400 }),
    confidenceMin: Type.Number({ minimum: 0, maximum: 1 }),
    /** The ground point may move by so much and the thing still counts as standing. */
    stationaryM: Type.Number({ minimum: 0.1, maximum: 50 }),
    /** When the rule is in force; none means always. */
    schedule: Type.Optional(Type.Array(TimeWindow, { maxItems: 21 })),
    /** When it is not, whatever the schedule says: a night market that has its permit. */
    permitted: Type.Optional(Type.Array(TimeWindow, { maxItems: 21 })),
    /** Share of the picture that a box has at least: what is smaller is not looked at. */
    areaMin: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  },
  { additionalProperties: false },
);
export type ZoneRule = Static<typeof ZoneRule>;

/** Corners, fractions of the picture's width and height. The thing's ground point decides whether it is inside. */
export const PicturePolygon = Type.Array(
  Type.Tuple([Type.Number({ minimum: 0, maximum: 1 }), Type.Number({ minimum: 0, maximum: 1 })]),
  { minItems: 3, maxItems: 64 },
);

export const Zone = Type.Object(
  {
    id: Id(),
    polygon: PicturePolygon,
    rules: Type.Array(ZoneRule, { minItems: 1, maxItems: 16 }),
  },
  { additionalProperties: false },
);
export type Zone = Static<typeof Zone>;
