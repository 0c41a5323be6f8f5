import i18next from 'i18next';
import { ApiError } from '../api/mod.ts';

/** The text of an error code in the language of the page; null for one that this console does not know. */
export function codeText(code: string): string | null {
  const key = `refusal.${code}`;
  return i18next.exists(key) ? i18next.t(key as 'refusal.GEWU_INTERNAL') : null;
}

/**
 * What went wrong, in the language of the page. The centre tells each refusal in English, more exactly than its code can: that is
 * the whole text in English, and stands behind the code's in Chinese.
 */
export function faultText(error: unknown): string {
  if (!(error instanceof ApiError)) return isUnreachable(error as Error) ? i18next.t('state.offline') : (error as Error).message;
  const known = codeText(error.code);
  if (known === null || i18next.language.startsWith('en')) return error.message || (known ?? error.code);
  return error.message === '' ? known : `${known}（${error.message}）`;
}

/** As `fetch` tells it: no connection, or no answer in time. */
const isUnreachable = (error: Error): boolean => error instanceof TypeError || error.name === 'TimeoutError';
