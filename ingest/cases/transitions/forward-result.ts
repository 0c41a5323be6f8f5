import { defineTransition } from './define.ts';
import { NoteOnly } from './inputs.ts';

/** 批转结果. The command centre passes the result on; a supervisor checks it. */
export const forwardResult = defineTransition({
  name: 'forward-result',
  labelZh: '批转结果',
  labelEn: 'Forward the result',
  from: ['FEEDBACK'],
  to: ['CHECKING'],
  roles: ['command'],
  input: NoteOnly,
});
