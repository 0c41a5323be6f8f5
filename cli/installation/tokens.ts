import { randomBytes } from 'node:crypto';

/** A bearer token: 192 random bits that tell by their beginning what they are. */
export function randomToken(): string {
  return `gewu_${randomBytes(24).toString('base64url')}`;
}

/** A password between machines. */
export function randomPassword(): string {
  return randomBytes(18).toString('base64url');
}
