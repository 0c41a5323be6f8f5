import { createHash } from 'node:crypto';
import type { Case } from '#grid/mod.ts';
import type { ApiClient } from '#simulators/target/mod.ts';

/** The cases that have at least one evidence file, each of which the API gives out whole and with the right hash. */
export async function casesWithEvidence(api: ApiClient, cases: readonly Case[]): Promise<Set<string>> {
  const good = new Set<string>();
  for (const c of cases) {
    if (c.evidence.length === 0) continue;
    const checks = await Promise.all(c.evidence.map((e) => isThere(api, e.sha256)));
    if (checks.every(Boolean)) good.add(c.id);
  }
  return good;
}

async function isThere(api: ApiClient, sha256: string): Promise<boolean> {
  const response = await api.fetch(`/api/v1/evidence/${sha256}`);
  if (!response.ok) return false;
  const bytes = Buffer.from(await response.arrayBuffer());
  return createHash('sha256').update(bytes).digest('hex') === sha256;
}
