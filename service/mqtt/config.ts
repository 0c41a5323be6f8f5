import { type Static, Type } from 'typebox';

const strict = { additionalProperties: false } as const;
const file = Type.String({ minLength: 1, maxLength: 4096 });

/** PEM files of a server: its certificate and key; `ca` makes client certificates compulsory. */
export const ServerTls = Type.Object({ cert: file, key: file, ca: Type.Optional(file) }, strict);
export type ServerTls = Static<typeof ServerTls>;

/** PEM files of a client: whom it trusts beside the system's authorities, and its own certificate where one is wanted. */
export const ClientTls = Type.Object(
  {
    ca: Type.Optional(file),
    cert: Type.Optional(file),
    key: Type.Optional(file),
    serverName: Type.Optional(Type.String({ maxLength: 253 })),
  },
  strict,
);
export type ClientTls = Static<typeof ClientTls>;

/** Port 0 takes a free one. */
export const Listener = Type.Object(
  {
    host: Type.String({ default: '127.0.0.1', maxLength: 253 }),
    port: Type.Integer({ minimum: 0, maximum: 65_535 }),
    tls: Type.Optional(ServerTls),
  },
  strict,
);
export type Listener = Static<typeof Listener>;

export const BrokerLimits = Type.Object(
  {
    clientsMax: Type.Integer({ minimum: 1, maximum: 100_000, default: 10_000 }),
    connectRatePerSMax: Type.Number({ minimum: 1, maximum: 100_000, default: 1000 }),
    /** Of a whole packet, by its fixed header. */
    packetBytesMax: Type.Integer({ minimum: 128, maximum: 4 * 1024 * 1024, default: 64 * 1024 }),
    messagesPerSPerClientMax: Type.Number({ minimum: 0.1, maximum: 1_000_000, default: 200 }),
    connectTimeoutMs: Type.Integer({ minimum: 100, maximum: 120_000, default: 10_000 }),
    keepaliveSMax: Type.Integer({ minimum: 0, maximum: 65_535, default: 3600 }),
  },
  { ...strict, default: {} },
);
export type BrokerLimits = Static<typeof BrokerLimits>;
