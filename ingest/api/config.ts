import { type Static, Type } from 'typebox';
import { Role } from '#grid/api/mod.ts';
import { SessionsConfig } from '../sessions/mod.ts';

const strict = { additionalProperties: false } as const;
const Path = Type.String({ minLength: 1, maxLength: 4096 });

/** A token that the file brings along: the file is the authority, taking it out revokes it. Kept hashed in memory only. */
export const TokenEntry = Type.Object(
  {
    /** The account: what the timeline of a case names. */
    name: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }),
    /** The token itself, or its SHA-256 (hex) so that the file holds no secret. */
    token: Type.Optional(Type.String({ minLength: 20, maxLength: 256, pattern: '^[A-Za-z0-9._~+/=-]+$' })),
    sha256: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
    roles: Type.Array(Role, { minItems: 1, maxItems: 16 }),
    /** For the role `department`. */
    department: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' })),
  },
  strict,
);
export type TokenEntry = Static<typeof TokenEntry>;

export const ApiConfig = Type.Object(
  {
    host: Type.String({ default: '127.0.0.1', minLength: 1, maxLength: 255 }),
    /** 0: any free one. */
    port: Type.Integer({ minimum: 0, maximum: 65_535, default: 8080 }),
    /** PEM files. With `ca` a client must show a certificate that it signed. */
    tls: Type.Optional(Type.Object({ cert: Path, key: Path, ca: Type.Optional(Path) }, strict)),
    tokens: Type.Array(TokenEntry, { maxItems: 1000, default: [] }),
    /** Of people who sign in to the console. */
    sessions: SessionsConfig,
    /** Of a JSON body; evidence has its own limit. */
    bodyLimitBytes: Type.Integer({ minimum: 1024, maximum: 16 * 1024 * 1024, default: 256 * 1024 }),
    /** /metrics answers without a token; for a scraper on a closed network. */
    metricsOpen: Type.Boolean({ default: false }),
    /** Of other sites whose pages may open live views: `https://console.example`. Pages of this API's own host always may. */
    origins: Type.Array(Type.String({ pattern: '^https?://[^/?#@]+$', maxLength: 256 }), { maxItems: 32, default: [] }),
    /** Addresses of reverse proxies whose X-Forwarded-For is believed. */
    trustedProxies: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 32, default: [] }),
  },
  strict,
);
export type ApiConfig = Static<typeof ApiConfig>;
