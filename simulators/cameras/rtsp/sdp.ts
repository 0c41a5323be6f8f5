import { CLOCK_RATE_HZ, PAYLOAD_TYPE } from './rtp.ts';
import type { ParameterSets } from './unit.ts';

/** Control address of the one media stream, relative to the mount. */
export const TRACK = 'trackID=0';

/** The description of one stream (RFC 4566; fmtp as in RFC 6184 section 8.1, RFC 7798 section 7.1). `fps` is a hint for the reader. */
export function describe(parameters: ParameterSets, host: string, fps: number): string {
  const family = host.includes(':') ? 'IP6' : 'IP4';
  const [name, format] = formatOf(parameters);
  return [
    'v=0',
    `o=- 0 0 IN ${family} ${host}`,
    's=Gewu simulated camera',
    `c=IN ${family} ${host}`,
    't=0 0',
    'a=control:*',
    'a=range:npt=now-',
    `m=video 0 RTP/AVP ${PAYLOAD_TYPE}`,
    `a=rtpmap:${PAYLOAD_TYPE} ${name}/${CLOCK_RATE_HZ}`,
    `a=fmtp:${PAYLOAD_TYPE} ${format}`,
    `a=framerate:${fps}`,
    `a=control:${TRACK}`,
    '',
  ].join('\r\n');
}

function formatOf({ vps, sps, pps }: ParameterSets): [string, string] {
  const [v, s, p] = [vps, sps, pps].map((set) => set?.toString('base64'));
  if (vps !== undefined) return ['H265', `sprop-vps=${v};sprop-sps=${s};sprop-pps=${p}`];
  const profile = sps.toString('hex', 1, 4).toUpperCase();
  return ['H264', `packetization-mode=1;profile-level-id=${profile};sprop-parameter-sets=${s},${p}`];
}
