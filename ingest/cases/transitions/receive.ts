import { defineTransition } from './define.ts';
import { NoteOnly } from './inputs.ts';

/** 签收. The department's receipt; handling begins. */
export const receive = defineTransition({
  name: 'receive',
  labelZh: '签收处置',
  labelEn: 'Receive and handle',
  from: ['DISPATCHED'],
  to: ['HANDLING'],
  roles: ['department'],
  ownDepartment: true,
  input: NoteOnly,
});
