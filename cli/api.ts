import { ApiClient } from '#simulators/target/mod.ts';
import { readToken } from './command.ts';

/** Where the centre is and who asks, for commands that speak with its API. */
export const API_FLAGS = {
  url: { type: 'string', default: 'http://127.0.0.1:8080' },
  'token-file': { type: 'string' },
} as const;

/** Throws GEWU_USAGE where there is no token. */
export async function apiOf(flags: { url: string; 'token-file'?: string | undefined }): Promise<ApiClient> {
  return new ApiClient(flags.url.replace(/\/+$/, ''), await readToken(flags['token-file']));
}
