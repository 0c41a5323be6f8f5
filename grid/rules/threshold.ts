import { type Static, Type } from 'typebox';
import { EventClass, Severity } from '../events/event.ts';
import { Id } from '../ids.ts';

/**
 * A threshold rule over one device's fields, evaluated at the edge:
 *
 *   normal --when holds--> pending --for forS and samples--> active --clear holds--> clearing --for clear.forS--> normal
 *
 * `when` and `clear` are separate thresholds (hysteresis); between them the state stays.
 */
export const OPERATORS = ['gt', 'ge', 'lt', 'le', 'eq', 'ne'] as const;
export type Operator = (typeof OPERATORS)[number];

export const Condition = Type.Object(
  { field: Id(), op: Type.Enum(OPERATORS), value: Type.Union([Type.Number(), Type.Boolean()]) },
  { additionalProperties: false },
);
export type Condition = Static<typeof Condition>;

/** What a rule raises: a fault of the device's own component, or a city event. */
export const Raises = Type.Union([
  Type.Object({ fault: Id('a key of FAULTS; the class code comes from the component code') }, { additionalProperties: false }),
  Type.Object({ event: Type.String({ pattern: '^[0-9]{4}$' }) }, { additionalProperties: false }),
]);
export type Raises = Static<typeof Raises>;

export const ThresholdRule = Type.Object(
  {
    id: Id(),
    /** All must hold. The first one's field is the one that the event reports. */
    when: Type.Array(Condition, { minItems: 1, maxItems: 8 }),
    confirm: Type.Object(
      {
        /** Seconds for which `when` must hold (without a break where `of` is not given); the clock counts, not only samples. */
        forS: Type.Number({ minimum: 0, maximum: 86_400 }),
        /** Samples that must have said so, at least. */
        samples: Type.Integer({ minimum: 1, maximum: 100 }),
        /** Among the last so many samples, of which the others may say otherwise; none means that all in a row must say so. */
        of: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
      },
      { additionalProperties: false },
    ),
    clear: Type.Object(
      {
        /** All must hold. */
        when: Type.Array(Condition, { minItems: 1, maxItems: 8 }),
        forS: Type.Number({ minimum: 0, maximum: 86_400 }),
      },
      { additionalProperties: false },
    ),
    raises: Raises,
    severity: Severity,
  },
  { additionalProperties: false },
);
export type ThresholdRule = Static<typeof ThresholdRule>;

export { EventClass };
