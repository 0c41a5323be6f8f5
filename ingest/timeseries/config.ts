import { type Static, Type } from 'typebox';

/** How long each resolution is kept, in days. */
export const RetentionConfig = Type.Object(
  {
    rawDays: Type.Integer({ minimum: 1, maximum: 3650, default: 30 }),
    minuteDays: Type.Integer({ minimum: 1, maximum: 3650, default: 365 }),
    hourDays: Type.Integer({ minimum: 1, maximum: 36_500, default: 3650 }),
  },
  { additionalProperties: false, default: {} },
);
export type RetentionConfig = Static<typeof RetentionConfig>;

/** Embedded: one replica only. */
export const SqliteTimeSeriesConfig = Type.Object(
  {
    store: Type.Literal('sqlite'),
    /** The database file; its folder is made if missing. */
    file: Type.String({ minLength: 1, maxLength: 4096 }),
    retention: RetentionConfig,
  },
  { additionalProperties: false },
);
export type SqliteTimeSeriesConfig = Static<typeof SqliteTimeSeriesConfig>;

/** A real InfluxDB 1.x (1.6 and later). */
export const InfluxdbTimeSeriesConfig = Type.Object(
  {
    store: Type.Literal('influxdb'),
    url: Type.String({ pattern: '^https?://[^/?#@]+/?$', maxLength: 512 }),
    database: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', default: 'gewu' }),
    username: Type.Optional(Type.String({ maxLength: 128 })),
    password: Type.Optional(Type.String({ maxLength: 512 })),
    tls: Type.Optional(
      Type.Object(
        {
          /** PEM files. */
          ca: Type.Optional(Type.String({ maxLength: 4096 })),
          cert: Type.Optional(Type.String({ maxLength: 4096 })),
          key: Type.Optional(Type.String({ maxLength: 4096 })),
        },
        { additionalProperties: false },
      ),
    ),
    /** Compress writes: for a server that is far away. */
    gzip: Type.Boolean({ default: false }),
    timeoutMs: Type.Integer({ minimum: 100, maximum: 120_000, default: 10_000 }),
    retention: RetentionConfig,
  },
  { additionalProperties: false },
);
export type InfluxdbTimeSeriesConfig = Static<typeof InfluxdbTimeSeriesConfig>;

export const TimeSeriesConfig = Type.Union([SqliteTimeSeriesConfig, InfluxdbTimeSeriesConfig]);
export type TimeSeriesConfig = Static<typeof TimeSeriesConfig>;
