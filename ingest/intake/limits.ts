import { type Static, Type } from 'typebox';
import { FRAME_BYTES_MAX } from '#grid/wire/mod.ts';

/** What the intake holds in memory and how it merges; per lane. Beyond a bound a frame is dropped without ack, and the edge sends it again. */
export const IntakeLimits = Type.Object(
  {
    /** Frames on the wire that wait or are being stored. */
    queueBytesMax: Type.Integer({ minimum: 2 * FRAME_BYTES_MAX, maximum: 2 ** 31, default: 32 * 1024 * 1024 }),
    queueFramesMax: Type.Integer({ minimum: 2, maximum: 1_000_000, default: 4_000 }),
    /** Of one edge, so that a storm of one leaves room for the others. */
    edgeBytesMax: Type.Integer({ minimum: FRAME_BYTES_MAX, maximum: 2 ** 31, default: 8 * 1024 * 1024 }),
    /** Records in one write to a store, unless a single frame has more. */
    recordsPerWriteMax: Type.Integer({ minimum: 1, maximum: 100_000, default: 10000 }),
    /** How long readings wait for company before they are written. */
    readingsLingerMs: Type.Integer({ minimum: 0, maximum: 1_000, default: 50 }),
    /** Writes of one lane under way at a time. */
    writesInFlightMax: Type.Integer({ minimum: 1, maximum: 16, default: 4 }),
    /** A reading from further ahead of our clock goes to the dead letters. */
    futureMsMax: Type.Integer({ minimum: 0, default: 24 * 3_600_000 }),
    /** After a failure of a store the lane waits so long at first, then doubles. */
    pauseMsMin: Type.Integer({ minimum: 1, maximum: 60_000, default: 100 }),
    pauseMsMax: Type.Integer({ minimum: 1, maximum: 60_000, default: 5_000 }),
    /** `stop` waits so long for what is under way. */
    drainMsMax: Type.Integer({ minimum: 0, maximum: 60_000, default: 2_000 }),
  },
  { additionalProperties: false, default: {} },
);
export type IntakeLimits = Static<typeof IntakeLimits>;
