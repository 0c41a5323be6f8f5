/** One coded picture: the NAL units of an H.264 access unit, without start codes or lengths. */
export interface AccessUnit {
  /** A key picture (IDR) has SPS and PPS in front, so that decoding can begin with it. */
  nals: readonly Buffer[];
  key: boolean;
  /** When the picture was taken, ms of the monotonic clock. */
  capturedMs: number;
}

const NAL_SPS = 7;
const NAL_PPS = 8;

export interface ParameterSets {
  sps: Buffer;
  pps: Buffer;
}

/** SPS and PPS that stand in a key picture, or null when one is missing. */
export function parameterSetsOf(unit: AccessUnit): ParameterSets | null {
  const sps = unit.nals.find((nal) => nalType(nal) === NAL_SPS);
  const pps = unit.nals.find((nal) => nalType(nal) === NAL_PPS);
  return sps !== undefined && sps.length >= 4 && pps !== undefined ? { sps, pps } : null;
}

export function nalType(nal: Buffer): number {
  return (nal[0] ?? 0) & 0x1f;
}
