import { type Static, Type } from 'typebox';
import { Id } from '../ids.ts';
import { LiveCommand } from './live.ts';
import { ReleaseOriginalCommand } from './release.ts';
import { ReplayPayloadCommand } from './replay.ts';

/**
 * Centre to edge, `down/command`: the state of the case that an event belongs to. Open silences, closed re-arms; `unfounded`: it was
 * rejected, and what stands there is nothing to be told again.
 */
export const CaseStateCommand = Type.Object(
  {
    command: Type.Literal('case-state'),
    event: Id(),
    open: Type.Boolean(),
    unfounded: Type.Optional(Type.Literal(true)),
    ts: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
);
export type CaseStateCommand = Static<typeof CaseStateCommand>;

/** Centre to edge: the camera was put to look elsewhere, and what it shows from now on is right. */
export const CameraReferenceCommand = Type.Object(
  { command: Type.Literal('camera-reference'), camera: Id(), ts: Type.Integer({ minimum: 0 }) },
  { additionalProperties: false },
);

/** All of them, by the word in `command`. To add one: its schema above, a line here, a handler in `edge/node.ts`. */
export const COMMANDS = {
  'case-state': CaseStateCommand,
  live: LiveCommand,
  'release-original': ReleaseOriginalCommand,
  'camera-reference': CameraReferenceCommand,
  'replay-payload': ReplayPayloadCommand,
} as const;
export type CommandName = keyof typeof COMMANDS;
export type CommandOf<N extends CommandName> = Static<(typeof COMMANDS)[N]>;
export type Command = { [N in CommandName]: CommandOf<N> }[CommandName];
