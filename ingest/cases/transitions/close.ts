import { defineTransition } from './define.ts';
import { NoteOnly } from './inputs.ts';

/** 结案. By the supervision centre only; a recovery that a sensor reports is evidence, no closing. */
export const close = defineTransition({
  name: 'close',
  labelZh: '结案',
  labelEn: 'Close',
  from: ['TO_CLOSE'],
  to: ['CLOSED'],
  roles: ['supervision'],
  notAfter: ['receive', 'feedback', 'dispatch'],
  input: NoteOnly,
});
