import { Type } from 'typebox';
import { Id } from '#grid/mod.ts';
import { defineTransition } from './define.ts';
import { Note, strict } from './inputs.ts';

/** 核实. Sends a grid supervisor to look; again for another one (重派监督员). */
export const verify = defineTransition({
  name: 'verify',
  labelZh: '核实',
  labelEn: 'Verify on site',
  from: ['REPORTED', 'VERIFYING'],
  to: ['VERIFYING'],
  roles: ['supervision'],
  input: Type.Object({ supervisor: Type.Optional(Id('who looks')), note: Note }, strict),
  apply({ draft }) {
    draft.row.proposal = null;
  },
});
