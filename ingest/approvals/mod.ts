export { type Approvals, type ApprovalWanted, createApprovals } from './approvals.ts';
export type { VouchingChange } from './change.ts';
export { ApprovalsConfig } from './config.ts';
export { createPersonRecalls, type PersonRecalls } from './person_recall.ts';
