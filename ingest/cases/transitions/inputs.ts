import { Type } from 'typebox';
import { EvidenceRef } from '#grid/mod.ts';
import type { TransitionContext } from './define.ts';

/** Parts of the inputs. Every input is a closed object. */

export const strict = { additionalProperties: false } as const;
const TEXT_CHARS_MAX = 2000;
export const Text = Type.String({ minLength: 1, maxLength: TEXT_CHARS_MAX, pattern: '\\S' });
export const Note = Type.Optional(Text);
export const Files = Type.Array(EvidenceRef, { maxItems: 16 });

/** Nothing but an optional remark. */
export const NoteOnly = Type.Object({ note: Note }, strict);
/** A step back or an end: says why. */
export const ReasonOnly = Type.Object({ reason: Text }, strict);

/** Files that a person adds; they show as pending until they are uploaded. */
export function attachFiles(context: TransitionContext, by: string, files: readonly EvidenceRef[] | undefined): void {
  if (files !== undefined) context.draft.attach(files, '', by, context.at);
}
