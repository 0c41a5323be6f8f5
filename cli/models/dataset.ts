import { createHash } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatasetAnswer, DatasetItem, DatasetSummary } from '#grid/api/mod.ts';
import { type Fetched, writeVersion } from '#models/dataset/mod.ts';
import { loadManifest } from '#models/mod.ts';
import { GewuError } from '#service/mod.ts';
import type { ApiClient } from '#simulators/target/mod.ts';
import { API_FLAGS, apiOf } from '../api.ts';
import { parseFlags, print, say } from '../command.ts';
import { SHIPPED_MODEL } from '../installation/mod.ts';

export const DATASET_USAGE = `gewu models dataset DIR --reason TEXT [--name verdicts] [--cameras A,B] [--classes stall,garbage] [--since TIME] [--until TIME]
                     [--group-minutes 60] [--grants ID,ID] [--from DIR] [--json]
gewu models dataset DIR --id ID [--grants ID,ID] [--from DIR] [--json]
  Makes a version of a dataset from what reviewers said of events, or takes one that was made, and fetches its pictures into DIR, for
  \`gewu models import\`. Masked pictures teach what stands in the event's box and nothing about its surroundings; originals are used
  where one of --grants, which must be yours, has opened them, and the folder is then to be kept as they are. --from: the model whose
  classes come first. TIME is RFC 3339. --url, --token-file as in \`gewu edges\`.`;

const FLAGS = {
  ...API_FLAGS,
  id: { type: 'string' },
  reason: { type: 'string' },
  name: { type: 'string', default: 'verdicts' },
  cameras: { type: 'string' },
  classes: { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
  'group-minutes': { type: 'string' },
  grants: { type: 'string' },
  from: { type: 'string', default: SHIPPED_MODEL },
  json: { type: 'boolean', default: false },
} as const;

export async function dataset(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseFlags(args, FLAGS, 1);
  const [dir] = positionals;
  if (dir === undefined || (values.id === undefined) === (values.reason === undefined))
    throw new GewuError('GEWU_USAGE', 'gewu models dataset DIR --reason TEXT, or --id ID');
  await checkFree(dir);
  const api = await apiOf(values);
  const { manifest } = await loadManifest(values.from);
  const id = values.id ?? (await made(api, values)).id;
  const version = await api.get<DatasetAnswer>(`/api/v1/datasets/${encodeURIComponent(id)}`);
  const released = await releasedBy(api, list(values.grants) ?? []);
  const pictureOf = new Map(version.items.map((item) => [item.event, item]));
  const origin = await writeVersion(
    dir,
    {
      version: { dataset: version.id, name: version.name, scenes: version.scenes },
      classes: manifest.classes,
      items: version.items,
    },
    ({ event }) => fetched(api, pictureOf.get(event) as DatasetItem, released),
  );
  tell(version);
  if (values.json) print(JSON.stringify({ ...origin, counts: version.counts }));
  else print(`${dir}: ${origin.pictures} pictures, ${origin.originals} of them originals; version ${version.id}`);
  return 0;
}

function made(
  api: ApiClient,
  values: { [K in 'name' | 'reason' | 'cameras' | 'classes' | 'since' | 'until' | 'group-minutes']?: string | undefined },
) {
  const { name, reason, cameras, classes, since, until } = values;
  const minutes = values['group-minutes'];
  return api.send<DatasetSummary>('POST', '/api/v1/datasets', {
    ...{
      name,
      reason,
      cameras: list(cameras),
      classes: list(classes),
      since: timeOf('since', since),
      until: timeOf('until', until),
    },
    ...(minutes === undefined ? {} : { groupMinutes: Number(minutes) }),
  });
}

/** Two versions in one folder would be neither. */
async function checkFree(dir: string): Promise<void> {
  const taken = await access(join(dir, 'dataset.json')).then(
    () => true,
    () => false,
  );
  if (taken) throw new GewuError('GEWU_USAGE', `${dir}: there is a dataset already`);
}

/** By the original's hash, the grant that has opened it. */
async function releasedBy(api: ApiClient, grants: readonly string[]): Promise<Map<string, string>> {
  const released = new Map<string, string>();
  for (const grant of grants) {
    const { items } = await api.get<{ items: { sha256: string }[] }>(`/api/v1/grants/${encodeURIComponent(grant)}/files`);
    for (const { sha256 } of items) released.set(sha256, grant);
  }
  return released;
}

async function fetched(api: ApiClient, item: DatasetItem, released: ReadonlyMap<string, string>): Promise<Fetched> {
  const grant = item.original === null ? undefined : released.get(item.original);
  if (grant !== undefined && item.original !== null)
    return { kind: 'original', jpeg: await download(api, `/api/v1/grants/${grant}/files/${item.original}`, item.original) };
  return { kind: 'masked', jpeg: await download(api, `/api/v1/evidence/${item.picture}`, item.picture) };
}

/** Throws GEWU_STORE_UNAVAILABLE, GEWU_EVIDENCE_MISMATCH. */
async function download(api: ApiClient, path: string, sha256: string): Promise<Buffer> {
  const response = await api.fetch(path);
  if (!response.ok) throw new GewuError('GEWU_STORE_UNAVAILABLE', `GET ${path}: ${response.status}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== sha256) throw new GewuError('GEWU_EVIDENCE_MISMATCH', `${path} came with the SHA-256 ${found}`);
  return bytes;
}

function tell({ counts }: DatasetSummary): void {
  const { things, nothings, splits, leftOut } = counts;
  for (const [name, n] of Object.entries(things)) say(`gewu: ${name}: ${n} things`);
  for (const [name, n] of Object.entries(nothings)) say(`gewu: taken for ${name}, and nothing there: ${n}`);
  for (const [name, n] of Object.entries(splits)) say(`gewu: ${name}: ${n} pictures`);
  for (const [why, n] of Object.entries(leftOut)) say(`gewu: left out, ${why}: ${n}`);
}

const list = (text: string | undefined): string[] | undefined => text?.split(',').filter((part) => part !== '');

function timeOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ts = Date.parse(text);
  if (Number.isNaN(ts)) throw new GewuError('GEWU_USAGE', `--${name} ${text}: a time like 2026-11-28T08:00:00Z is wanted`);
  return ts;
}
