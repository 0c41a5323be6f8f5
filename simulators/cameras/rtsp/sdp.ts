import { CLOCK_RATE_HZ, PAYLOAD_TYPE } from './rtp.ts';
import type { ParameterSets } from './unit.ts';

/** Control address of the one media stream, relative to the mount. */
export const TRACK = 'trackID=0';

/** The description of one H.264 stream (RFC 4566; fmtp as in RFC 6184 section 8.1). `fps` is a hint for the reader. */
export function describe({ sps, pps }: ParameterSets, host: string, fps: number): string {
  const family = host.includes(':') ? 'IP6' : 'IP4';
  const profile = sps.toString('hex', 1, 4).toUpperCase();
  const sprop = `${sps.toString('base64')},${pps.toString('base64')}`;
  return [
    'v=0',
    `o=- 0 0 IN ${family} ${host}`,
    's=Gewu simulated camera',
    `c=IN ${family} ${host}`,
    't=0 0',
    'a=control:*',
    'a=range:npt=now-',
    `m=video 0 RTP/AVP ${PAYLOAD_TYPE}`,
    `a=rtpmap:${PAYLOAD_TYPE} H264/${CLOCK_RATE_HZ}`,
    `a=fmtp:${PAYLOAD_TYPE} packetization-mode=1;profile-level-id=${profile};sprop-parameter-sets=${sprop}`,
    `a=framerate:${fps}`,
    `a=control:${TRACK}`,
    '',
  ].join('\r\n');
}
