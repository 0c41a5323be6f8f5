import type { Clock } from '#service/mod.ts';
import type { ChannelConfig } from '../config.ts';
import type { Channel } from './channel.ts';
import { createDingtalk, createFeishu, createWecom } from './robots.ts';
import { createSmtp } from './smtp.ts';
import { createWebhook } from './webhook.ts';

export { type Channel, ChannelFault, type Outgoing } from './channel.ts';

/** To add a kind: its schema in `config.ts`, a function here. */
export function createChannel(config: ChannelConfig, clock: Clock): Channel {
  switch (config.kind) {
    case 'webhook':
      return createWebhook(config, clock);
    case 'smtp':
      return createSmtp(config);
    case 'wecom':
      return createWecom(config);
    case 'dingtalk':
      return createDingtalk(config, clock);
    case 'feishu':
      return createFeishu(config, clock);
  }
}
