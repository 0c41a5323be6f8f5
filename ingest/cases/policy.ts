import { Compile } from 'typebox/compile';
import { type EventData, FilingPolicy } from '#grid/mod.ts';
import { type Clock, GewuError } from '#service/mod.ts';
import type { Queries } from '../database/mod.ts';

type Mode = FilingPolicy['default'];
type Rule = FilingPolicy['rules'][number];

/**
 * The shipped policy, a setting and no standard: what a sensor calls critical is filed at once (somebody falls into an
 * open shaft before an officer has looked), other sensor faults wait for an officer with a proposal; a camera's street
 * order is proposed with its photo, everything else that a camera says is looked at first.
 */
export const DEFAULT_FILING_POLICY: FilingPolicy = {
  version: 1,
  default: 'propose',
  rules: [
    { class: '1:*', by: 'sensor', severity: 'critical', mode: 'file-at-once' },
    { class: '2:*', by: 'sensor', severity: 'critical', mode: 'file-at-once' },
    { class: '1:*', by: 'camera', mode: 'verify-first' },
    { class: '2:*', by: 'camera', mode: 'verify-first' },
    { class: '2:0102', by: 'camera', mode: 'propose' },
    { class: '2:0406', by: 'camera', mode: 'propose' },
    { class: '2:0501', by: 'camera', mode: 'propose' },
    { class: '2:0505', by: 'camera', mode: 'propose' },
  ],
};

const checkPolicy = Compile(FilingPolicy);

/** What the machine may do with an event. The longest match wins; among equals the one with more conditions, then the first. */
export function filingMode(policy: FilingPolicy, event: Pick<EventData, 'class' | 'severity' | 'origin'>): Mode {
  let best: Rule | null = null;
  for (const rule of policy.rules) {
    if (matches(rule, event) && (best === null || weight(rule) > weight(best))) best = rule;
  }
  return best?.mode ?? policy.default;
}

function matches(rule: Rule, event: Pick<EventData, 'class' | 'severity' | 'origin'>): boolean {
  if (rule.by !== undefined && rule.by !== event.origin.by) return false;
  if (rule.severity !== undefined && rule.severity !== event.severity) return false;
  const [flag, code, fault] = rule.class.split(':');
  if (flag !== String(event.class.flag)) return false;
  if (code !== '*' && code !== event.class.code) return false;
  return fault === undefined || fault === '*' || fault === event.class.fault;
}

/** Characters that are not `*`, then the number of further conditions. */
function weight(rule: Rule): number {
  const literal = rule.class.replaceAll('*', '').length;
  return literal * 10 + (rule.by === undefined ? 0 : 1) + (rule.severity === undefined ? 0 : 1);
}

/** The policy in force: the highest version. */
export async function readPolicy(db: Queries): Promise<FilingPolicy | null> {
  const row = await db.selectFrom('filing_policies').select('policy_json').orderBy('version', 'desc').limit(1).executeTakeFirst();
  return row === undefined ? null : (JSON.parse(row.policy_json) as FilingPolicy);
}

/** Puts the policy of the configuration in force where there is none yet; replicas may try together. */
export async function seedPolicy(db: Queries, policy: FilingPolicy, clock: Clock): Promise<void> {
  await db
    .insertInto('filing_policies')
    .values({ version: policy.version, policy_json: JSON.stringify(policy), at: clock.now(), by: 'gewu' })
    .onConflict((c) => c.column('version').doNothing())
    .execute();
}

/** A new version; versions are never changed, so that a case can say under which it was opened. */
export async function writePolicy(db: Queries, input: unknown, by: string, clock: Clock): Promise<FilingPolicy> {
  if (!checkPolicy.Check(input)) {
    const first = checkPolicy.Errors(input)[0];
    throw new GewuError('GEWU_REQUEST_INVALID', `filing policy${first?.instancePath ?? ''} ${first?.message ?? ''}`);
  }
  const present = (await readPolicy(db))?.version ?? 0;
  if (input.version !== present + 1)
    throw new GewuError('GEWU_REQUEST_INVALID', `the filing policy has version ${present}: the next one is ${present + 1}`);
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('filing_policies')
    .values({ version: input.version, policy_json: JSON.stringify(input), at: clock.now(), by })
    .onConflict((c) => c.column('version').doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows !== 1n)
    throw new GewuError('GEWU_REQUEST_INVALID', `version ${input.version} of the filing policy was just set by somebody else`);
  return input;
}
