import { type Static, Type } from 'typebox';

const MEBIBYTE = 1024 * 1024;

export const EdgeLiveConfig = Type.Object(
  {
    /** Off: this edge shows nobody anything. */
    enabled: Type.Boolean({ default: true }),
    streamsMax: Type.Integer({ minimum: 1, maximum: 100, default: 4 }),
    /** All streams together, in the mean: what is left of the line belongs to events and readings. */
    bytesPerSMax: Type.Integer({ minimum: 16 * 1024, maximum: 64 * MEBIBYTE, default: 2 * MEBIBYTE }),
    /** Masked pictures of one camera; there are never more than are looked at. */
    maskedFpsMax: Type.Number({ minimum: 0.1, maximum: 15, default: 2 }),
    /** Hosts beside that of `uplink.apiUrl` that a centre may have us dial: its replicas, by name or name:port. */
    hosts: Type.Array(Type.String({ pattern: '^[A-Za-z0-9.:\\[\\]-]{1,253}$' }), { maxItems: 64, default: [] }),
  },
  { additionalProperties: false, default: {} },
);
export type EdgeLiveConfig = Static<typeof EdgeLiveConfig>;
