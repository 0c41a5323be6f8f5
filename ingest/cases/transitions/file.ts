import { Type } from 'typebox';
import { GewuError } from '#service/mod.ts';
import { filingMode } from '../policy.ts';
import { defineTransition, type TransitionContext } from './define.ts';
import { applyCorrection, Correction, guardFiling } from './filing.ts';
import { attachFiles, Files, Note, strict } from './inputs.ts';

/**
 * 立案. Gives the case number. An officer files on a file that has arrived or on a sensor's alarm; the machine
 * files where the filing policy says `file-at-once`, and nowhere else.
 */
export const file = defineTransition({
  name: 'file',
  labelZh: '立案',
  labelEn: 'File',
  from: ['REPORTED', 'VERIFYING'],
  to: ['FILED'],
  roles: ['supervision', 'machine'],
  input: Type.Object(
    {
      ...Correction.properties,
      /** The look on site said 存在. */
      verification: Type.Optional(Type.Literal('exists')),
      evidence: Type.Optional(Files),
      note: Note,
    },
    strict,
  ),
  async guard(context, input) {
    guardFiling(context.draft, input);
    if (context.role === 'machine') await guardMachine(context);
    else await guardProof(context);
  },
  async apply(context, input) {
    const { draft, numbers } = context;
    applyCorrection(draft, input);
    draft.row.number = await numbers.next(draft.row.cell);
    draft.row.proposal = null;
    attachFiles(context, 'file', input.evidence);
  },
});

async function guardMachine({ events, policy }: TransitionContext): Promise<void> {
  const allowed = (await events()).some((e) => filingMode(policy, e) === 'file-at-once');
  if (!allowed)
    throw new GewuError(
      'GEWU_TRANSITION_GUARD',
      `version ${policy.version} of the filing policy does not let the machine file this case`,
    );
}

/** A promise of a photo is no photo: a file counts when it has arrived. A sensor's value is on record in its readings. */
async function guardProof({ db, draft, events }: TransitionContext): Promise<void> {
  if ((await events()).some((e) => e.origin.by === 'sensor')) return;
  const stored = await db
    .selectFrom('case_evidence as e')
    .innerJoin('evidence_files as f', 'f.sha256', 'e.sha256')
    .select('e.sha256')
    .where('e.case_id', '=', draft.row.id)
    .limit(1)
    .executeTakeFirst();
  if (stored === undefined)
    throw new GewuError('GEWU_TRANSITION_GUARD', 'there is no evidence yet: a stored photo or file, or a sensor alarm');
}
