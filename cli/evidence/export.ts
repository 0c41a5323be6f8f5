import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CaseEvidenceAnswer, EdgeKeyAnswer, EventAnswer } from '#grid/api/mod.ts';
import type { Case } from '#grid/mod.ts';
import type { ApiClient } from '#simulators/target/mod.ts';
import { madeDir } from '../command.ts';
import { INDEX_FILE, PROOF_SUFFIX, type Proof } from './proof.ts';

type File = CaseEvidenceAnswer['items'][number];

const EXTENSIONS: Readonly<Record<File['mediaType'], string>> = {
  'image/jpeg': 'jpg',
  'video/mp4': 'mp4',
  'application/json': 'json',
};

/** Writes a case with its files into a folder, each with what proves it. Returns how many files there are. */
export async function exportCase(api: ApiClient, id: string, dir: string): Promise<number> {
  const found = await api.get<Case>(`/api/v1/cases/${id}`);
  const { items } = await api.get<CaseEvidenceAnswer>(`/api/v1/cases/${id}/evidence`);
  const { items: keys } = await api.get<{ items: EdgeKeyAnswer[] }>('/api/v1/edge-keys');
  await madeDir('out', dir);
  const files = [];
  for (const item of items) {
    const file = item.status === 'stored' ? `${item.sha256}.${EXTENSIONS[item.mediaType]}` : null;
    files.push({ file, sha256: item.sha256 });
    if (file === null) continue;
    const response = await api.fetch(`/api/v1/evidence/${item.sha256}`);
    await writeFile(join(dir, file), Buffer.from(await response.arrayBuffer()));
    await writeFile(join(dir, file + PROOF_SUFFIX), `${JSON.stringify(await proofOf(api, item, keys), null, 2)}\n`);
  }
  await writeFile(join(dir, INDEX_FILE), `${JSON.stringify({ case: found, files }, null, 2)}\n`);
  return files.length;
}

async function proofOf(api: ApiClient, { signed: given, event }: File, keys: EdgeKeyAnswer[]): Promise<Proof> {
  const signed = given ?? null;
  if (event === null) return { signed, claim: null, keys: [] };
  const { record, receivedAt } = await api.get<EventAnswer>(`/api/v1/events/${event}`);
  const { edge } = record.data;
  return { signed, claim: { event, edge, receivedAt }, keys: keys.filter((k) => k.edge === edge || k.keyId === signed?.key) };
}
