import { Type } from 'typebox';
import { EvidenceRef } from '#grid/mod.ts';
import { defineTransition } from './define.ts';
import { attachFiles, strict, Text } from './inputs.ts';

/** 处置反馈. What was done, with at least one photo of afterwards. */
export const feedback = defineTransition({
  name: 'feedback',
  labelZh: '处置反馈',
  labelEn: 'Feed back',
  from: ['HANDLING'],
  to: ['FEEDBACK'],
  roles: ['department'],
  ownDepartment: true,
  input: Type.Object({ text: Text, evidence: Type.Array(EvidenceRef, { minItems: 1, maxItems: 16 }) }, strict),
  apply(context, { evidence }) {
    attachFiles(context, 'feedback', evidence);
  },
});
