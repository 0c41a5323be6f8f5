import type { CaseEvidenceAnswer } from '#grid/api/mod.ts';
import type { EvidenceRef, SignedManifest } from '#grid/mod.ts';
import { clockDoubt, GewuError, judgeSignature } from '#service/mod.ts';
import type { Database } from '../database/mod.ts';
import type { EdgeKeys } from './keys.ts';

export type CaseEvidence = CaseEvidenceAnswer['items'][number];

/**
 * The files of a case with what is known of their origin, oldest first. Signatures are judged when they are read: a key that was pinned or
 * retired since then counts. Throws GEWU_NOT_FOUND.
 */
export async function evidenceOfCase(
  { database, keys }: { database: Database; keys: EdgeKeys },
  caseId: string,
): Promise<CaseEvidence[]> {
  const { kysely } = database;
  const known = await kysely.selectFrom('cases').select('id').where('id', '=', caseId).executeTakeFirst();
  if (known === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no case ${caseId}`);
  const rows = await kysely
    .selectFrom('case_evidence as e')
    .leftJoin('evidence_files as f', 'f.sha256', 'e.sha256')
    .leftJoin('events as v', 'v.subject', 'e.event')
    .select([
      'e.sha256',
      'e.event',
      'e.media_type',
      'e.bytes',
      'e.taken_at',
      'e.by',
      'e.signed_json',
      'f.stored_at',
      'v.edge',
      'v.received_at',
    ])
    .where('e.case_id', '=', caseId)
    .orderBy('e.taken_at')
    .orderBy('e.sha256')
    .orderBy('e.event')
    .execute();
  const edges = new Set(rows.flatMap((row) => row.edge ?? []));
  const trusted = (await Promise.all([...edges].map((edge) => keys.list(edge)))).flat();
  return rows.map((row): CaseEvidence => {
    const signed = row.signed_json === null ? undefined : (JSON.parse(row.signed_json) as SignedManifest);
    const ref: EvidenceRef = {
      sha256: row.sha256,
      mediaType: row.media_type as EvidenceRef['mediaType'],
      bytes: row.bytes,
      takenAt: row.taken_at,
      ...(signed === undefined ? {} : { signed }),
    };
    const claim = row.edge === null ? null : { event: row.event, edge: row.edge };
    const signature = judgeSignature(ref, claim, trusted);
    // What a signature does not cover is nobody's word.
    const manifest = signature === 'valid' ? signed?.manifest : undefined;
    return {
      ...ref,
      kind: manifest?.kind ?? kindOf(ref.mediaType, row.event !== ''),
      status: row.stored_at === null ? 'pending' : 'stored',
      event: row.event === '' ? null : row.event,
      by: row.by,
      masked: manifest?.masked ?? null,
      original: manifest?.original !== undefined,
      signature,
      clockDoubt: manifest === undefined ? null : clockDoubt(manifest, row.received_at),
    };
  });
}

function kindOf(mediaType: EvidenceRef['mediaType'], ofEvent: boolean): CaseEvidence['kind'] {
  if (mediaType === 'video/mp4') return 'clip';
  if (mediaType === 'application/json') return 'series';
  return ofEvent ? 'snapshot' : 'photo';
}
