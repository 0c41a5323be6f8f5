import { defineTransition } from './define.ts';
import { ReasonOnly } from './inputs.ts';

/** 撤件. The supervision centre at any step, the command centre at its own; a department only proposes it. */
export const withdraw = defineTransition({
  name: 'withdraw',
  labelZh: '撤件',
  labelEn: 'Withdraw',
  from: ['FILED', 'TO_DISPATCH', 'EXPERT', 'DISPATCHED', 'HANDLING', 'SUSPENDED', 'FEEDBACK', 'CHECKING', 'TO_CLOSE'],
  to: ['WITHDRAWN'],
  roles: ['supervision', 'command'],
  fromByRole: { command: ['TO_DISPATCH', 'EXPERT', 'SUSPENDED', 'FEEDBACK'] },
  input: ReasonOnly,
});
