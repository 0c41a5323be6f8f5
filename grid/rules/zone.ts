import { type Static, Type } from 'typebox';
import { Severity } from '../events/event.ts';
import { ID_PATTERN, Id } from '../ids.ts';
import { Raises } from './threshold.ts';

/**
 * A zone rule, one shape for all that a zone editor draws:
 *
 *   neither `crosses` nor `count`   a thing of the class that stands in the polygon for the dwell time
 *   `crosses`                       one that goes over a line
 *   `count`                         more of them at once than may be, for the dwell time
 */

/** A day, `YYYY-MM-DD`. */
const Day = () => Type.String({ pattern: '^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$' });

/** Days that windows name: holidays, market days. By name, of the site. */
export const Calendars = Type.Record(Type.String({ pattern: ID_PATTERN }), Type.Array(Day(), { maxItems: 1000 }), {
  additionalProperties: false,
  maxProperties: 32,
});
export type Calendars = Static<typeof Calendars>;

/** `HH:MM` in the site's time zone; a window that ends before it begins runs over midnight. */
export const TimeWindow = Type.Object(
  {
    /** 1 Monday .. 7 Sunday; none means every day. */
    days: Type.Optional(Type.Array(Type.Integer({ minimum: 1, maximum: 7 }), { maxItems: 7, uniqueItems: true })),
    from: Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$' }),
    to: Type.String({ pattern: '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$' }),
    /** Only on these days, `YYYY-MM-DD`: holidays, festivals. */
    dates: Type.Optional(Type.Array(Day(), { minItems: 1, maxItems: 366 })),
    /** Only on the days of this calendar of the site; and not on those of this one. */
    calendar: Type.Optional(Id()),
    exceptCalendar: Type.Optional(Id()),
  },
  { additionalProperties: false },
);
export type TimeWindow = Static<typeof TimeWindow>;

/** Across a picture, where both ends count: fractions of width and height. */
const PicturePoint = () => Type.Tuple([Type.Number({ minimum: 0, maximum: 1 }), Type.Number({ minimum: 0, maximum: 1 })]);

export const CROSSING_WAYS = ['any', 'to-the-right', 'to-the-left'] as const;

/** The point where a thing touches the ground goes over the line, inside the zone. Right and left are those of who looks from its first end to the second. */
export const Crossing = Type.Object(
  { line: Type.Tuple([PicturePoint(), PicturePoint()]), way: Type.Enum(CROSSING_WAYS) },
  { additionalProperties: false },
);
export type Crossing = Static<typeof Crossing>;

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
    /** It counts as there while it was seen in so many of the last pictures, and as gone below that; in the newest one where not given. */
    pictures: Type.Optional(
      Type.Object(
        { seen: Type.Integer({ minimum: 1, maximum: 30 }), of: Type.Integer({ minimum: 1, maximum: 30 }) },
        { additionalProperties: false },
      ),
    ),
    crosses: Type.Optional(Crossing),
    /** More than so many at the same time. Things, not people: `person` is no class of a rule. */
    count: Type.Optional(Type.Object({ above: Type.Integer({ minimum: 1, maximum: 100 }) }, { additionalProperties: false })),
  },
  { additionalProperties: false },
);
export type ZoneRule = Static<typeof ZoneRule>;

/** Corners, fractions of the picture's width and height. The thing's ground point decides whether it is inside. */
export const PicturePolygon = Type.Array(PicturePoint(), { minItems: 3, maxItems: 64 });

export const Zone = Type.Object(
  {
    id: Id(),
    polygon: PicturePolygon,
    rules: Type.Array(ZoneRule, { minItems: 1, maxItems: 16 }),
  },
  { additionalProperties: false },
);
export type Zone = Static<typeof Zone>;
