import { Type } from 'typebox';
import { defineTransition } from './define.ts';
import { attachFiles, Files, strict, Text } from './inputs.ts';

/** 核查不通过, 返工. The same department again; counted. */
export const checkFail = defineTransition({
  name: 'check-fail',
  labelZh: '核查不通过',
  labelEn: 'Check failed, rework',
  from: ['CHECKING'],
  to: ['DISPATCHED'],
  roles: ['supervision'],
  notAfter: ['receive', 'feedback', 'dispatch'],
  input: Type.Object({ reason: Text, evidence: Type.Optional(Files) }, strict),
  apply(context, { evidence }) {
    context.draft.row.rework_count++;
    attachFiles(context, 'check-fail', evidence);
  },
});
