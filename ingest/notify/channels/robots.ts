import { createHmac } from 'node:crypto';
import type { Clock } from '#service/mod.ts';
import type { DingtalkConfig, FeishuConfig, WecomConfig } from '../config.ts';
import { type Channel, ChannelFault, cutBytes, type Outgoing, plainText } from './channel.ts';
import { postJson, statusFault } from './http.ts';

/** Robots of group chats: each takes one POST, and answers 200 with a code of its own. */

/** WeCom takes 2,048 bytes of text; the others take more, and nobody reads more. */
const TEXT_BYTES_MAX = 2048;
const MOBILE = /^\+?[0-9]{5,20}$/;

interface Call {
  url: string;
  body: object;
  allowLocalAddress: boolean;
}

/** The code in the answer; 0 is good. `againCodes`: too often, or busy. */
async function call({ url, body, allowLocalAddress }: Call, codeKey: 'errcode' | 'code', againCodes: readonly number[]) {
  const { host } = new URL(url);
  const { status, text } = await postJson({ url, body: JSON.stringify(body), allowLocalAddress });
  const fault = statusFault(host, status);
  if (fault !== null) throw fault;
  const code = codeIn(text, codeKey);
  if (code !== 0)
    throw new ChannelFault(`${host}: code ${code ?? 'missing'}`, { again: code !== null && againCodes.includes(code) });
}

function codeIn(text: string, key: string): number | null {
  try {
    const code = (JSON.parse(text) as Record<string, unknown>)[key];
    return typeof code === 'number' ? code : null;
  } catch {
    return null;
  }
}

const textOf = (message: Outgoing) => cutBytes(plainText(message), TEXT_BYTES_MAX);
const mobilesOf = ({ address }: Outgoing): string[] => (MOBILE.test(address) ? [address] : []);

/** Source: WeCom, "Group robot configuration": `text` with `mentioned_mobile_list`; 20 a minute (45009). */
export function createWecom({ id, key, baseUrl, allowLocalAddress }: WecomConfig): Channel {
  const url = new URL('/cgi-bin/webhook/send', baseUrl);
  url.searchParams.set('key', key);
  return {
    id,
    kind: 'wecom',
    host: url.host,
    send: (message) => {
      const body = { msgtype: 'text', text: { content: textOf(message), mentioned_mobile_list: mobilesOf(message) } };
      return call({ url: url.href, body, allowLocalAddress }, 'errcode', [-1, 45009]);
    },
  };
}

/**
 * Source: DingTalk, "Custom robots": `text` with `at.atMobiles`; signed with `timestamp` and `sign`, HMAC-SHA256 of
 * `<timestamp>\n<secret>` by the secret; 20 a minute (130101, and 410100 by the gateway).
 */
export function createDingtalk({ id, accessToken, secret, baseUrl, allowLocalAddress }: DingtalkConfig, clock: Clock): Channel {
  const { host } = new URL(baseUrl);
  return {
    id,
    kind: 'dingtalk',
    host,
    send: (message) => {
      const url = new URL('/robot/send', baseUrl);
      url.searchParams.set('access_token', accessToken);
      if (secret !== undefined) {
        const timestamp = String(clock.now());
        url.searchParams.set('timestamp', timestamp);
        url.searchParams.set('sign', createHmac('sha256', secret).update(`${timestamp}\n${secret}`).digest('base64'));
      }
      const body = { msgtype: 'text', text: { content: textOf(message) }, at: { atMobiles: mobilesOf(message), isAtAll: false } };
      return call({ url: url.href, body, allowLocalAddress }, 'errcode', [-1, 130101, 410100]);
    },
  };
}

/**
 * Source: Feishu, "Custom bot usage guide": `msg_type: text`; signed with `timestamp` (seconds) and `sign`, HMAC-SHA256 of nothing by
 * the key `<timestamp>\n<secret>`; 5 a second, 100 a minute (11232).
 */
export function createFeishu({ id, hook, secret, baseUrl, allowLocalAddress }: FeishuConfig, clock: Clock): Channel {
  const url = new URL(`/open-apis/bot/v2/hook/${hook}`, baseUrl);
  return {
    id,
    kind: 'feishu',
    host: url.host,
    send: (message) => {
      const timestamp = String(Math.floor(clock.now() / 1000));
      const signed =
        secret === undefined
          ? {}
          : { timestamp, sign: createHmac('sha256', `${timestamp}\n${secret}`).update('').digest('base64') };
      const body = { ...signed, msg_type: 'text', content: { text: textOf(message) } };
      return call({ url: url.href, body, allowLocalAddress }, 'code', [11232]);
    },
  };
}
