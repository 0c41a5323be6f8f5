import { defineTransition } from './define.ts';
import { ReasonOnly } from './inputs.ts';

/** 退回. Not this department's: back to the command centre, which dispatches again. */
export const sendBack = defineTransition({
  name: 'send-back',
  labelZh: '退回',
  labelEn: 'Send back',
  from: ['DISPATCHED', 'HANDLING'],
  to: ['TO_DISPATCH'],
  roles: ['department'],
  ownDepartment: true,
  input: ReasonOnly,
  apply({ draft }) {
    draft.row.department = null;
  },
});
