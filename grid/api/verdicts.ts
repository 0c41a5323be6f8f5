import { type Static, Type } from 'typebox';
import { EventRecord } from '../events/mod.ts';
import { Id } from '../ids.ts';
import { nullable, Time } from './parts.ts';

const strict = { additionalProperties: false } as const;

/** Why an event is none. Stable words: the next training set is sorted by them. */
export const VERDICT_REASONS = ['nothing-there', 'wrong-class', 'permitted', 'duplicate', 'device-fault', 'other'] as const;
export const VerdictReason = Type.Enum(VERDICT_REASONS);
export type VerdictReason = (typeof VERDICT_REASONS)[number];

/** What a person says of an event: it is so, or it is not, and why. */
export const VerdictInput = Type.Union([
  Type.Object({ verdict: Type.Literal('accepted') }, strict),
  Type.Object(
    {
      verdict: Type.Literal('rejected'),
      reason: VerdictReason,
      note: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
    },
    strict,
  ),
]);
export type VerdictInput = Static<typeof VerdictInput>;

export const Verdict = Type.Object(
  {
    verdict: Type.Union([Type.Literal('accepted'), Type.Literal('rejected')]),
    reason: nullable(VerdictReason),
    note: nullable(Type.String()),
    by: Id(),
    at: Time,
  },
  strict,
);
export type Verdict = Static<typeof Verdict>;

export const EventAnswer = Type.Object(
  {
    record: EventRecord,
    case: nullable(Id()),
    receivedAt: Time,
    updatedAt: Time,
    verdict: nullable(Verdict),
  },
  strict,
);
export type EventAnswer = Static<typeof EventAnswer>;

/** A verdict with what the model or the rule had said. */
export const VerdictAnswer = Type.Object(
  {
    event: Id(),
    ...Verdict.properties,
    class: Type.String({ description: '`2:0501`, `1:0102:cover_open`' }),
    source: Id('device or camera'),
    zone: Type.String({ description: 'zone of the camera, or rule of the sensor' }),
    model: Type.String({ description: 'name@version; empty for a sensor' }),
    confidence: Type.Number(),
  },
  strict,
);
export type VerdictAnswer = Static<typeof VerdictAnswer>;

export const PrecisionAnswer = Type.Object(
  {
    since: Time,
    items: Type.Array(
      Type.Object(
        {
          source: Type.String(),
          zone: Type.String(),
          class: Type.String(),
          accepted: Type.Integer(),
          rejected: Type.Integer(),
          precision: Type.Number({ description: 'accepted / judged' }),
          threshold: nullable(
            Type.Number({
              description:
                'the lowest confidence from which 9 of 10 were accepted; null with fewer than 20 verdicts or where there is none',
            }),
          ),
        },
        strict,
      ),
    ),
  },
  strict,
);
export type PrecisionAnswer = Static<typeof PrecisionAnswer>;
