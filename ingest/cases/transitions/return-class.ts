import { defineTransition } from './define.ts';
import { ReasonOnly } from './inputs.ts';

/** The command centre sends it back: filed under a wrong class. */
export const returnClass = defineTransition({
  name: 'return-class',
  labelZh: '退回立案',
  labelEn: 'Return to filing',
  from: ['TO_DISPATCH'],
  to: ['FILED'],
  roles: ['command'],
  input: ReasonOnly,
});
