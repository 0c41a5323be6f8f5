import { type Static, Type } from 'typebox';
import type { ChannelKind } from '#grid/api/mod.ts';

const strict = { additionalProperties: false } as const;
const Id = Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' });
const Url = (options = {}) => Type.String({ pattern: '^https?://[^/?#@]+/?$', maxLength: 512, ...options });
const Key = (options = {}) => Type.String({ minLength: 1, maxLength: 256, pattern: '^[\\x21-\\x7e]+$', ...options });
/** Loopback and link-local addresses are refused unless this says so. */
const allowLocalAddress = Type.Boolean({ default: false });
const kindOf = <K extends ChannelKind>(kind: K) => ({ id: Id, kind: Type.Literal(kind), allowLocalAddress });

export const WebhookConfig = Type.Object(
  {
    ...kindOf('webhook'),
    url: Type.String({ pattern: '^https?://[^/?#@]+(/[^#]*)?$', maxLength: 1024 }),
    /** Signs what is sent: `x-gewu-signature`. */
    secret: Type.Optional(Key({ minLength: 16 })),
  },
  strict,
);
export type WebhookConfig = Static<typeof WebhookConfig>;

export const SmtpConfig = Type.Object(
  {
    ...kindOf('smtp'),
    host: Type.String({ pattern: '^[A-Za-z0-9.:_-]{1,253}$' }),
    port: Type.Integer({ minimum: 1, maximum: 65_535, default: 587 }),
    /** `tls`: from the first byte; `starttls`: before anything is said; `none`: for a server on this machine only. */
    security: Type.Union([Type.Literal('starttls'), Type.Literal('tls'), Type.Literal('none')], { default: 'starttls' }),
    username: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    password: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
    from: Type.String({ pattern: '^[^\\s@<>,;:"()\\[\\]\\\\]+@[^\\s@<>,;:"()\\[\\]\\\\]+$', maxLength: 254 }),
  },
  strict,
);
export type SmtpConfig = Static<typeof SmtpConfig>;

export const WecomConfig = Type.Object(
  { ...kindOf('wecom'), key: Key(), baseUrl: Url({ default: 'https://qyapi.weixin.qq.com' }) },
  strict,
);
export type WecomConfig = Static<typeof WecomConfig>;

export const DingtalkConfig = Type.Object(
  {
    ...kindOf('dingtalk'),
    accessToken: Key(),
    secret: Type.Optional(Key()),
    baseUrl: Url({ default: 'https://oapi.dingtalk.com' }),
  },
  strict,
);
export type DingtalkConfig = Static<typeof DingtalkConfig>;

export const FeishuConfig = Type.Object(
  {
    ...kindOf('feishu'),
    /** The last part of the robot's address. */
    hook: Key({ pattern: '^[A-Za-z0-9-]+$' }),
    secret: Type.Optional(Key()),
    baseUrl: Url({ default: 'https://open.feishu.cn' }),
  },
  strict,
);
export type FeishuConfig = Static<typeof FeishuConfig>;

export const ChannelConfig = Type.Union([WebhookConfig, SmtpConfig, WecomConfig, DingtalkConfig, FeishuConfig]);
export type ChannelConfig = Static<typeof ChannelConfig>;

/** By which ways people are told. Hosts and secrets stand here and nowhere else: no account can make the centre call another host. */
export const NotifyConfig = Type.Object(
  {
    channels: Type.Array(ChannelConfig, { maxItems: 64, default: [] }),
    /** Of the console, as people reach it: for the link by which a message is acknowledged. Without it there are no links. */
    publicUrl: Type.Optional(Url()),
    /** Alerts of one topic within it are one message. */
    gatherS: Type.Number({ minimum: 0.1, maximum: 600, default: 10 }),
    /** An incident that grows is told of again at most so often; urgent ones every minute. */
    repeatMinutes: Type.Number({ minimum: 0.1, maximum: 1440, default: 15 }),
    /** Records that wait at an edge, from which on a growing backlog is told of. */
    backlogRecords: Type.Integer({ minimum: 1, maximum: 100_000_000, default: 20_000 }),
    /** Dead letters within ten minutes, from which on they are told of. */
    deadLetters: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 20 }),
    /** What was sent is kept so long. */
    historyDays: Type.Integer({ minimum: 1, maximum: 3650, default: 90 }),
  },
  { ...strict, default: {} },
);
export type NotifyConfig = Static<typeof NotifyConfig>;
