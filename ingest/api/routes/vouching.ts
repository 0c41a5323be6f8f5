import { Type } from 'typebox';
import type { VouchingChange } from '../../approvals/mod.ts';
import type { Access, Account } from '../auth/mod.ts';

/** Who is responsible for what becomes a case, and for what its pictures show. */
export const VOUCHERS: Access = { technical: 'administrator', roles: ['supervision'] };

export const VouchingReason = () => Type.String({ minLength: 1, maxLength: 500, description: "kept with the edge's revision" });

interface VouchingRequest {
  account: Account | null;
  body: { reason: string };
}
export const vouchingOf = ({ account, body: { reason } }: VouchingRequest): VouchingChange => ({
  by: account?.id ?? '',
  roles: account?.roles ?? [],
  reason,
});
