import { type Static, Type } from 'typebox';

const Grace = (seconds: number) => Type.Number({ minimum: 0, maximum: 86_400, default: seconds });

/** When a fault of a device becomes a maintenance case. */
export const UpkeepConfig = Type.Object(
  {
    /** Of a silent edge, after it counts as silent; of a camera; of a sensor. */
    graceEdgeS: Grace(0),
    graceCameraS: Grace(120),
    graceDeviceS: Grace(600),
    /** So many sick members of a circuit or pressure zone are one case of the group. */
    groupFaultsMin: Type.Integer({ minimum: 2, maximum: 1000, default: 3 }),
    /** So many sick cameras, or sensors, of one edge are one case of the edge. */
    edgeFaultsMin: Type.Integer({ minimum: 2, maximum: 10_000, default: 5 }),
    /** Fixed cases and windows that are over are kept so long. */
    historyDays: Type.Integer({ minimum: 1, maximum: 3650, default: 365 }),
  },
  { additionalProperties: false, default: {} },
);
export type UpkeepConfig = Static<typeof UpkeepConfig>;
