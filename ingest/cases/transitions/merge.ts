import { Type } from 'typebox';
import { Id } from '#grid/mod.ts';
import { GewuError } from '#service/mod.ts';
import { CaseDraft } from '../draft.ts';
import { moveEvents } from '../feed.ts';
import { defineTransition } from './define.ts';
import { Note, strict } from './inputs.ts';

/** 重复. The report ends; its events and files feed the master from now on. */
export const merge = defineTransition({
  name: 'merge',
  labelZh: '合并重复',
  labelEn: 'Merge duplicate',
  from: ['REPORTED'],
  to: ['MERGED'],
  roles: ['supervision'],
  input: Type.Object({ into: Id('the master case'), note: Note }, strict),
  async apply({ db, draft, actor, role, at, touched }, { into }) {
    if (into === draft.row.id) throw new GewuError('GEWU_TRANSITION_GUARD', 'a case is no duplicate of itself');
    const master = await CaseDraft.load(db, into);
    if (master === null) throw new GewuError('GEWU_TRANSITION_GUARD', `there is no case ${into}`);
    if (master.finished) throw new GewuError('GEWU_TRANSITION_GUARD', `case ${into} is ${master.state}`);
    draft.row.merged_into = into;
    draft.row.proposal = null;
    await moveEvents(db, draft.row.id, master, at);
    master.record({
      at,
      actor: actor.id,
      role,
      kind: 'observation',
      name: 'master-of',
      to: master.state,
      input: { case: draft.row.id },
    });
    await master.save(db, at);
    touched.add(into);
  },
});
