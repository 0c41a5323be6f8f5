import { type Static, Type } from 'typebox';
import { Id } from '../ids.ts';

/** Centre to edge, `down/command`: the state of the case that an event belongs to (open silences, closed re-arms). */
export const CaseStateCommand = Type.Object(
  { command: Type.Literal('case-state'), event: Id(), open: Type.Boolean(), ts: Type.Integer({ minimum: 0 }) },
  { additionalProperties: false },
);
export const Command = CaseStateCommand;
export type Command = Static<typeof Command>;
