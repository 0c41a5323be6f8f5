import { createHash } from 'node:crypto';
import type { DatasetAnswer, DatasetCounts, DatasetInput, DatasetItem, DatasetLeftOut, DatasetSummary } from '#grid/api/mod.ts';
import { canonicalJson, type EvidenceRef } from '#grid/mod.ts';
import { type Clock, GewuError, judgeSignature } from '#service/mod.ts';
import { AUDIT_LOCK, type Audit } from '../audit/mod.ts';
import type { Database, DatasetsTable } from '../database/mod.ts';
import type { Registry } from '../devices/mod.ts';
import type { EdgeKeys } from '../evidence/mod.ts';
import { labelOf } from './label.ts';
import { splitOf } from './split.ts';

export interface DatasetDependencies {
  database: Database;
  audit: Pick<Audit, 'recordIn'>;
  keys: Pick<EdgeKeys, 'list'>;
  registry: Registry;
  clock: Clock;
}

/**
 * What reviewers said, frozen so that a model can be taught by it:
 *
 *   verdicts + signed pictures --> items (a thing in a box, or nothing there) --> split by camera and hour --> version, by its hash
 *
 * A version names pictures by their hash and holds none: masked ones lie with the evidence, originals at their edges.
 */
export interface Datasets {
  /** The same verdicts make the same version. Throws GEWU_NOT_FOUND (camera), GEWU_DATASET_TOO_SMALL. */
  make(input: DatasetInput, who: { id: string; roles: readonly string[] }): Promise<DatasetSummary>;
  /** Newest first. */
  list(): Promise<DatasetSummary[]>;
  /** Throws GEWU_NOT_FOUND. */
  get(id: string): Promise<DatasetAnswer>;
}

/** What is hashed, beside the items. */
interface Content {
  v: 1;
  scenes: DatasetSummary['scenes'];
  items: DatasetItem[];
}

/** The newest count. */
const VERDICTS_MAX = 20_000;
const LISTED_MAX = 500;
const MINUTE_MS = 60_000;
const GROUP_MINUTES = 60;
/** Rows whose evidence is looked up at once. */
const CHUNK = 500;

export function createDatasets(dependencies: DatasetDependencies): Datasets {
  const { database, audit, registry, clock } = dependencies;

  async function make(input: DatasetInput, who: { id: string; roles: readonly string[] }): Promise<DatasetSummary> {
    for (const camera of input.cameras ?? [])
      if (!registry.cameras.has(camera)) throw new GewuError('GEWU_NOT_FOUND', `there is no camera ${camera}`);
    const { drafts, leftOut } = await draftsOf(dependencies, input);
    const { groupMinutes = GROUP_MINUTES } = input;
    const groupOf = ({ camera, takenAt }: Draft) => `${camera} ${Math.floor(takenAt / (groupMinutes * MINUTE_MS))}`;
    const splits = splitOf(drafts.map(groupOf));
    const items = drafts.map((draft): DatasetItem => ({ ...draft, split: splits.get(groupOf(draft)) ?? 'train' }));
    items.sort((a, b) => (a.event < b.event ? -1 : 1));
    const real = items.every(({ camera }) => registry.cameras.get(camera)?.simulated === false);
    const content_json = canonicalJson({ v: 1, scenes: real ? 'real-scenes' : 'drawn-scenes', items } satisfies Content);
    const row: DatasetsTable = {
      id: createHash('sha256').update(content_json).digest('hex'),
      name: input.name,
      content_json,
      counts_json: JSON.stringify(countsOf(items, leftOut)),
      reason: input.reason,
      by: who.id,
      at: clock.now(),
    };
    await database.transaction(
      async (db) => {
        const { numInsertedOrUpdatedRows } = await db
          .insertInto('datasets')
          .values(row)
          .onConflict((c) => c.column('id').doNothing())
          .executeTakeFirst();
        if (numInsertedOrUpdatedRows !== 1n) return;
        const detail = { name: row.name, pictures: items.length };
        const act = { actor: who.id, roles: who.roles, action: 'dataset-made', subject: `dataset:${row.id}` };
        await audit.recordIn(db, { ...act, purpose: input.reason, detail });
      },
      { locks: [AUDIT_LOCK] },
    );
    return summaryOf(await rowOf(database, row.id));
  }

  return {
    make,
    async list() {
      const rows = await database.kysely.selectFrom('datasets').selectAll().orderBy('at', 'desc').limit(LISTED_MAX).execute();
      return rows.map(summaryOf);
    },
    async get(id) {
      const row = await rowOf(database, id);
      return { ...summaryOf(row), items: (JSON.parse(row.content_json) as Content).items };
    },
  };
}

type Draft = Omit<DatasetItem, 'split'>;

async function draftsOf(
  { database, keys }: DatasetDependencies,
  { cameras, classes, since, until }: DatasetInput,
): Promise<{ drafts: Draft[]; leftOut: DatasetCounts['leftOut'] }> {
  let query = database.kysely
    .selectFrom('verdicts as v')
    .innerJoin('events as e', 'e.subject', 'v.event')
    .select(['v.event', 'v.verdict', 'v.reason', 'v.source', 'v.model', 'v.detects', 'v.confidence', 'e.edge', 'e.evidence_json'])
    .where('v.detects', '!=', '');
  if (cameras !== undefined) query = query.where('v.source', 'in', cameras);
  if (classes !== undefined) query = query.where('v.detects', 'in', classes);
  if (since !== undefined) query = query.where('e.confirmed_at', '>=', since);
  if (until !== undefined) query = query.where('e.confirmed_at', '<', until);
  const rows = await query.orderBy('v.at', 'desc').orderBy('v.event').limit(VERDICTS_MAX).execute();
  const trusted = new Map<string, Awaited<ReturnType<EdgeKeys['list']>>>();
  for (const edge of new Set(rows.map((row) => row.edge))) trusted.set(edge, await keys.list(edge));
  const candidates = rows.map((row) => {
    const label = labelOf(row);
    const picture = pictureOf(JSON.parse(row.evidence_json));
    const claim = { event: row.event, edge: row.edge };
    const isGenuine = 'ref' in picture && judgeSignature(picture.ref, claim, trusted.get(row.edge) ?? []) === 'valid';
    return { row, label, picture, isGenuine };
  });
  const stored = await storedOf(
    database,
    candidates.flatMap(({ picture }) => ('ref' in picture ? picture.ref.sha256 : [])),
  );
  const leftOut: Record<string, number> = {};
  const drafts = candidates.flatMap(({ row, label, picture, isGenuine }): Draft[] => {
    const leave = (why: DatasetLeftOut): Draft[] => {
      leftOut[why] = (leftOut[why] ?? 0) + 1;
      return [];
    };
    if (label !== 'thing' && label !== 'nothing') return leave(label);
    if (!('ref' in picture)) return leave(picture.missing);
    if (!isGenuine) return leave('signature');
    const { ref, original, shows } = picture;
    if (!stored.has(ref.sha256)) return leave('not-stored');
    const { event, source: camera, detects, model, confidence } = row;
    return [{ event, camera, detects, label, picture: ref.sha256, original, shows, takenAt: ref.takenAt, model, confidence }];
  });
  return { drafts, leftOut };
}

type Shown = NonNullable<NonNullable<EvidenceRef['signed']>['manifest']['shows']>;

/** The newest picture of an event that says where the thing is: later ones show it larger. */
function pictureOf(
  refs: readonly EvidenceRef[],
): { ref: EvidenceRef; shows: Shown; original: string | null } | { missing: 'no-picture' | 'no-box' } {
  const pictures = refs.filter(({ mediaType, signed }) => mediaType === 'image/jpeg' && signed?.manifest.masked === true);
  for (const ref of pictures.toReversed()) {
    const { shows, original = null } = ref.signed?.manifest ?? {};
    if (shows !== undefined) return { ref, shows, original };
  }
  return { missing: pictures.length === 0 ? 'no-picture' : 'no-box' };
}

async function storedOf({ kysely }: Database, hashes: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (let i = 0; i < hashes.length; i += CHUNK) {
    const chunk = hashes.slice(i, i + CHUNK);
    const rows = await kysely.selectFrom('evidence_files').select('sha256').where('sha256', 'in', chunk).execute();
    for (const { sha256 } of rows) found.add(sha256);
  }
  return found;
}

function countsOf(items: readonly DatasetItem[], leftOut: DatasetCounts['leftOut']): DatasetCounts {
  const byClass = (label: DatasetItem['label']): Record<string, number> => {
    const groups = Map.groupBy(
      items.filter((i) => i.label === label),
      (i) => i.detects,
    );
    return Object.fromEntries([...groups].map(([name, group]) => [name, group.length]));
  };
  const of = (split: DatasetItem['split']) => items.filter((i) => i.split === split).length;
  const splits = { train: of('train'), val: of('val'), test: of('test') };
  return { things: byClass('thing'), nothings: byClass('nothing'), splits, leftOut };
}

async function rowOf({ kysely }: Database, id: string): Promise<DatasetsTable> {
  const row = await kysely.selectFrom('datasets').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no dataset ${id}`);
  return row;
}

function summaryOf({ id, name, content_json, counts_json, reason, by, at }: DatasetsTable): DatasetSummary {
  const { scenes } = JSON.parse(content_json) as Content;
  return { id, name, scenes, counts: JSON.parse(counts_json), reason, by, at };
}
