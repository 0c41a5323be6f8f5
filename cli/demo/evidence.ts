import { createHash } from 'node:crypto';
import type { Case } from '#grid/mod.ts';
import type { ApiClient } from '#simulators/target/mod.ts';

/** The cases of which a file has arrived, and of which the API gives out every one that has, whole and with the right hash. A clip may still be on its way. */
export async function casesWithEvidence(api: ApiClient, cases: readonly Case[]): Promise<Set<string>> {
  const good = new Set<string>();
  for (const c of cases) {
    const arrived = c.evidence.filter((e) => e.status === 'stored');
    if (arrived.length === 0) continue;
    const checks = await Promise.all(arrived.map((e) => isThere(api, e.sha256)));
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
