/** One coded picture: the NAL units of an access unit, without start codes or lengths. */
export interface AccessUnit {
  /** H.264 unless told. */
  codec?: 'h264' | 'h265';
  /** A key picture (IDR) has its parameter sets in front, so that decoding can begin with it. */
  nals: readonly Buffer[];
  key: boolean;
  /** When the picture was taken, ms of the monotonic clock. */
  capturedMs: number;
}

export interface ParameterSets {
  /** Of H.265 only. */
  vps?: Buffer;
  sps: Buffer;
  pps: Buffer;
}

const H264 = { sps: 7, pps: 8 } as const;
const H265 = { vps: 32, sps: 33, pps: 34 } as const;

/** Parameter sets that stand in a key picture, or null when one is missing. */
export function parameterSetsOf({ nals, codec }: AccessUnit): ParameterSets | null {
  const types = codec === 'h265' ? H265 : H264;
  const find = (type: number) => nals.find((nal) => nalType(nal, codec) === type);
  const [sps, pps] = [find(types.sps), find(types.pps)];
  if (sps === undefined || sps.length < 4 || pps === undefined) return null;
  if (codec !== 'h265') return { sps, pps };
  const vps = find(H265.vps);
  return vps === undefined ? null : { vps, sps, pps };
}

/** Of its header: one byte in H.264, the first of two in H.265. */
export function nalType(nal: Buffer, codec: AccessUnit['codec'] = 'h264'): number {
  const first = nal[0] ?? 0;
  return codec === 'h265' ? (first >> 1) & 0x3f : first & 0x1f;
}
