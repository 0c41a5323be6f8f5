export * from './account.ts';
export { Attempts } from './attempts.ts';
export { hashPassword, PASSWORD_CHARS_MAX } from './passwords.ts';
export { createSessionService } from './service.ts';
export * from './types.ts';
export { ACCOUNTS_LOCK } from './users.ts';
