import { type Static, Type } from 'typebox';
import { Id } from '../ids.ts';

/**
 * Centre to edge, `down/command`: take this payload once more, as if its device had just published it. What becomes of it comes back in the health
 * lane: a line of the edge's trail, and a new dead letter where it cannot be used again.
 */
export const ReplayPayloadCommand = Type.Object(
  {
    command: Type.Literal('replay-payload'),
    /** Dead letter of the centre that it was. */
    letter: Id(),
    /** Device or gateway that had sent it. */
    sender: Id(),
    topic: Type.String({ minLength: 1, maxLength: 256 }),
    /** Base64. */
    payload: Type.String({ maxLength: 12_000 }),
    /** The account, its roles and its words, for the trail. */
    by: Type.String({ maxLength: 64 }),
    roles: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 16 }),
    reason: Type.String({ maxLength: 512 }),
    ts: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
);
export type ReplayPayloadCommand = Static<typeof ReplayPayloadCommand>;

/** Actions of the edge's trail that say what became of it; the subject is `dead-letter:<id>`. */
export const REPLAY_ACTIONS = { taken: 'payload-replayed', refused: 'payload-refused' } as const;
export const replaySubject = (letter: string): string => `dead-letter:${letter}`;
