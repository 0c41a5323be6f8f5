import { defineTransition } from './define.ts';
import { ReasonOnly } from './inputs.ts';

/** The result is incomplete: back to the department. */
export const returnResult = defineTransition({
  name: 'return-result',
  labelZh: '反馈退回',
  labelEn: 'Return the result',
  from: ['FEEDBACK'],
  to: ['HANDLING'],
  roles: ['command'],
  input: ReasonOnly,
});
