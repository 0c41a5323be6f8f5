import { Type } from 'typebox';
import { defineTransition } from './define.ts';
import { attachFiles, Files, Note, strict } from './inputs.ts';

/** 核查通过. Never by one who handled it. */
export const checkPass = defineTransition({
  name: 'check-pass',
  labelZh: '核查通过',
  labelEn: 'Check passed',
  from: ['CHECKING'],
  to: ['TO_CLOSE'],
  roles: ['supervision'],
  notAfter: ['receive', 'feedback', 'dispatch'],
  input: Type.Object({ evidence: Type.Optional(Files), note: Note }, strict),
  apply(context, { evidence }) {
    attachFiles(context, 'check-pass', evidence);
  },
});
