import { type Static, Type } from 'typebox';

const MEBIBYTE = 1024 * 1024;

export const LiveConfig = Type.Object(
  {
    /** Where edges dial this replica; none: where they upload evidence. Needed where several replicas stand behind one address. */
    edgeUrl: Type.Optional(Type.String({ pattern: '^https?://[^/?#@]+/?$', maxLength: 512 })),
    viewersMax: Type.Integer({ minimum: 1, maximum: 10_000, default: 200 }),
    viewersPerCameraMax: Type.Integer({ minimum: 1, maximum: 1000, default: 20 }),
    /** Streams that one edge is asked for at a time. */
    streamsPerEdgeMax: Type.Integer({ minimum: 1, maximum: 100, default: 8 }),
    /** Of one stream, in the mean; an edge that sends more is cut off. */
    streamBytesPerSMax: Type.Integer({ minimum: 64 * 1024, maximum: 64 * MEBIBYTE, default: 4 * MEBIBYTE }),
    /** A view ends after so long; who still looks opens it again. A raw view ends with its grant. */
    viewMinutesMax: Type.Number({ minimum: 0.05, maximum: 1440, default: 60 }),
  },
  { additionalProperties: false, default: {} },
);
export type LiveConfig = Static<typeof LiveConfig>;
