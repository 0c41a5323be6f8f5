import { Type } from 'typebox';
import { Id } from '#grid/mod.ts';
import { defineTransition } from './define.ts';
import { Note, strict } from './inputs.ts';

/** 派遣. To the responsible department; never by the one who filed. */
export const dispatch = defineTransition({
  name: 'dispatch',
  labelZh: '派遣',
  labelEn: 'Dispatch',
  from: ['TO_DISPATCH'],
  to: ['DISPATCHED'],
  roles: ['command'],
  notAfter: ['file', 'forward'],
  input: Type.Object({ department: Id('the responsible department'), note: Note }, strict),
  apply({ draft }, { department }) {
    draft.row.department = department;
  },
});
