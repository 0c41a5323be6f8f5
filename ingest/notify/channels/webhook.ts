import { createHmac } from 'node:crypto';
import type { Clock } from '#service/mod.ts';
import type { WebhookConfig } from '../config.ts';
import type { Channel } from './channel.ts';
import { postJson, statusFault } from './http.ts';

/**
 * JSON to an address of the configuration. With a secret, `x-gewu-signature: t=<UTC ms>,v1=<hex>` is HMAC-SHA256 of `<t>.<body>`:
 * who receives it checks the hash, and that `t` is not old. `id` is the same when it comes again.
 */
export function createWebhook({ id, url, secret, allowLocalAddress }: WebhookConfig, clock: Clock): Channel {
  const { host } = new URL(url);
  return {
    id,
    kind: 'webhook',
    host,
    async send({ address: _, linkLabel: __, ...message }) {
      const body = JSON.stringify({ ...message, at: clock.now() });
      const at = clock.now();
      const signature = secret === undefined ? null : createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
      const headers = signature === null ? {} : { 'x-gewu-signature': `t=${at},v1=${signature}` };
      const { status } = await postJson({ url, body, headers, allowLocalAddress });
      const fault = statusFault(host, status);
      if (fault !== null) throw fault;
    },
  };
}
