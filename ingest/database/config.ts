import { type Static, Type } from 'typebox';

const strict = { additionalProperties: false } as const;

/** The file of the embedded store. One process at a time: a second one is refused with GEWU_STORE_LOCKED. */
export const SqliteConfig = Type.Object(
  { store: Type.Literal('sqlite'), file: Type.String({ minLength: 1, maxLength: 4096 }) },
  strict,
);

export const PostgresConfig = Type.Object(
  {
    store: Type.Literal('postgres'),
    /** postgres://user:password@host:port/database */
    url: Type.String({ pattern: '^postgres(ql)?://', maxLength: 1024 }),
    /** Connections at most, of this replica. */
    poolMax: Type.Integer({ minimum: 1, maximum: 100, default: 10 }),
    /** PEM files. Without it the URL's `sslmode` decides. */
    tls: Type.Optional(
      Type.Object(
        {
          caFile: Type.Optional(Type.String({ maxLength: 4096 })),
          certFile: Type.Optional(Type.String({ maxLength: 4096 })),
          keyFile: Type.Optional(Type.String({ maxLength: 4096 })),
        },
        strict,
      ),
    ),
  },
  strict,
);

/** Where cases, events, health, dead letters and tokens live. */
export const DatabaseConfig = Type.Union([SqliteConfig, PostgresConfig]);
export type DatabaseConfig = Static<typeof DatabaseConfig>;
export type SqliteConfig = Static<typeof SqliteConfig>;
export type PostgresConfig = Static<typeof PostgresConfig>;
