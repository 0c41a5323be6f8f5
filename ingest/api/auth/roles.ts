import { type CaseRole, TECHNICAL_ROLES, type TechnicalRole } from '#grid/mod.ts';
import type { Account } from '../../sessions/mod.ts';

/**
 * Who may use a route. Every route names one; a route without one is refused at start.
 * `open` needs no token; `docs` takes the token also as the password of the browser's own log-in window.
 */
export type Access =
  | { open: true }
  | {
      /** At least this technical role; a higher one includes the lower, and every case role may view. */
      technical?: TechnicalRole;
      /** Or one of these case roles. */
      roles?: readonly CaseRole[];
      /** Or an edge with its own id and password. */
      edges?: true;
      docs?: true;
    };

export const OPEN: Access = { open: true };
/** A route that takes accounts or edges. */
export type Guarded = Exclude<Access, { open: true }>;
export const VIEWERS: Guarded = { technical: 'viewer' };
export const OPS: Access = { technical: 'ops' };
export const ADMINISTRATORS: Access = { technical: 'administrator' };

/** Whether the account may use the route. */
export function mayUse(access: Guarded, account: Account): boolean {
  if (access.roles?.some((role) => account.roles.includes(role))) return true;
  if (access.technical === undefined) return false;
  return rankOf(account) >= TECHNICAL_ROLES.indexOf(access.technical);
}

/** Of the highest technical role; who works on cases may view. */
function rankOf({ roles }: Account): number {
  const technical = TECHNICAL_ROLES.findLastIndex((role) => roles.includes(role));
  return technical >= 0 || roles.length === 0 ? technical : 0;
}

/** What a route wants, for people. */
export function accessText(access: Access): string {
  if ('open' in access) return 'open';
  const parts: string[] = [];
  if (access.technical !== undefined) parts.push(access.technical === 'viewer' ? 'any role' : `${access.technical} or higher`);
  if (access.roles) parts.push(...access.roles);
  if (access.edges) parts.push('an edge');
  return parts.join(', ');
}
