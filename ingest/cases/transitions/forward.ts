import { Type } from 'typebox';
import { defineTransition } from './define.ts';
import { applyCorrection, Correction, guardFiling } from './filing.ts';
import { Note, strict } from './inputs.ts';

/** 批转. From the supervision centre to the command centre; mends what the command centre has returned as wrong. */
export const forward = defineTransition({
  name: 'forward',
  labelZh: '批转',
  labelEn: 'Forward to command',
  from: ['FILED'],
  to: ['TO_DISPATCH'],
  roles: ['supervision'],
  input: Type.Object({ ...Correction.properties, note: Note }, strict),
  guard({ draft }, input) {
    if (input.class || input.place) guardFiling(draft, input);
  },
  apply({ draft }, input) {
    applyCorrection(draft, input);
  },
});
