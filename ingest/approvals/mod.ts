export { type ApprovalChange, type Approvals, type ApprovalWanted, createApprovals } from './approvals.ts';
export { ApprovalsConfig } from './config.ts';
