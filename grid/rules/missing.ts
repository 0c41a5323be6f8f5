import { type Static, Type } from 'typebox';
import { Severity } from '../events/event.ts';
import { Id } from '../ids.ts';
import { Raises } from './threshold.ts';

/**
 * A rule over absence: a device that reported once and has said nothing for so long.
 *
 *   heard --nothing for forS--> silent --a report--> heard
 */
export const MissingRule = Type.Object(
  {
    id: Id(),
    missing: Type.Object(
      {
        /** Seconds; none means two and a half of the device's own intervals, at least 30 min and at most 75 h. */
        forS: Type.Optional(Type.Number({ minimum: 1, maximum: 30 * 86_400 })),
      },
      { additionalProperties: false },
    ),
    raises: Raises,
    severity: Severity,
  },
  { additionalProperties: false },
);
export type MissingRule = Static<typeof MissingRule>;
