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
  },
  { additionalProperties: false },
);
export type ZoneRule = Static<typeof ZoneRule>;

export const Zone = Type.Object(
  {
    id: Id(),
    /** Corners, fractions of the picture's width and height, at least three. The thing's ground point decides. */
    polygon: Type.Array(Type.Tuple([Type.Number({ minimum: 0, maximum: 1 }), Type.Number({ minimum: 0, maximum: 1 })]), {
      minItems: 3,
      maxItems: 64,
    }),
    rules: Type.Array(ZoneRule, { minItems: 1, maxItems: 16 }),
  },
  { additionalProperties: false },
);
export type Zone = Static<typeof Zone>;
