import { Type } from 'typebox';
import { defineTransition } from './define.ts';
import { strict, Text } from './inputs.ts';

/** 不予立案. Not true, not in scope, or nobody could verify it. */
export const reject = defineTransition({
  name: 'reject',
  labelZh: '不予立案',
  labelEn: 'Reject',
  from: ['REPORTED', 'VERIFYING'],
  to: ['REJECTED'],
  roles: ['supervision'],
  input: Type.Object(
    {
      reason: Text,
      /** What the look on site said: 不存在 or 无法核实. */
      verification: Type.Optional(Type.Union([Type.Literal('absent'), Type.Literal('unverifiable')])),
    },
    strict,
  ),
  apply({ draft }) {
    draft.row.proposal = null;
  },
});
