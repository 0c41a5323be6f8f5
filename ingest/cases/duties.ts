import { CASE_ROLES, type CaseRole, type CaseState } from '#grid/mod.ts';
import { GewuError } from '#service/mod.ts';
import type { CasesTable, CaseTimelineTable } from '../database/mod.ts';
import type { Transition } from './transitions/mod.ts';
import type { Actor } from './types.ts';

/**
 * Separation of duties. Source: docs/domain/lifecycle.md section 2: supervision files and closes, command
 * dispatches, departments handle; a machine reports, and files where the policy says so.
 */
const NEVER_TOGETHER: readonly (readonly [CaseRole, CaseRole])[] = [
  ['supervision', 'command'],
  ['supervision', 'department'],
  ['command', 'department'],
];

/** Why these roles cannot belong to one account, or null. */
export function rolesFault(all: readonly string[]): string | null {
  const roles = CASE_ROLES.filter((role) => all.includes(role));
  for (const [a, b] of NEVER_TOGETHER)
    if (roles.includes(a) && roles.includes(b)) return `holds ${a} and ${b}, which nobody may hold together`;
  return roles.includes('machine') && roles.length > 1 ? 'is a machine and holds the role of a person' : null;
}

/** The role in which this actor may do this step. Throws GEWU_FORBIDDEN. */
export function roleFor(transition: Transition, actor: Actor): CaseRole {
  const roles = CASE_ROLES.filter((role) => actor.roles.includes(role));
  const fault = rolesFault(roles);
  if (fault !== null) throw forbidden(actor, fault);
  const role = transition.roles.find((r) => roles.includes(r));
  if (role === undefined) throw forbidden(actor, `may not ${transition.name}: it takes ${transition.roles.join(' or ')}`);
  return role;
}

/** What the actor has done on this case, and whose case it is, may forbid the step as well. Throws GEWU_FORBIDDEN. */
export function checkDuties(
  transition: Transition,
  actor: Actor,
  row: Pick<CasesTable, 'department'>,
  history: readonly Pick<CaseTimelineTable, 'name' | 'actor' | 'kind'>[],
): void {
  const done = history.find(
    (line) => line.kind === 'transition' && line.actor === actor.id && transition.notAfter?.includes(line.name),
  );
  if (done !== undefined) throw forbidden(actor, `did ${done.name} on this case and may not ${transition.name} it`);
  if (transition.ownDepartment && row.department !== null && row.department !== (actor.department ?? actor.id))
    throw forbidden(actor, `does not belong to the department ${row.department}`);
}

/** Whether the step leads from this state, for this role. */
export function leadsFrom(transition: Transition, role: CaseRole, state: CaseState): boolean {
  return (transition.fromByRole?.[role] ?? transition.from).includes(state);
}

function forbidden(actor: Actor, why: string): GewuError {
  return new GewuError('GEWU_FORBIDDEN', `${actor.id} ${why}`);
}
