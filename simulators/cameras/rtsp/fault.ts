/** What can be wrong with a camera on the network, on command. */
export const RTSP_FAULTS = ['freeze', 'cut', 'corrupt', 'garbage', 'halfOpen', 'drop', 'password'] as const;
export type RtspFaultKind = (typeof RTSP_FAULTS)[number];

/**
 * freeze: requests are answered and connections stay, but no media comes.
 * cut: connections are closed, and every request is met by closing.
 * corrupt: bytes of the RTP payloads are flipped; `probability` is that of a packet being hit, 0.05 where not given.
 * garbage: bytes that are no packet stand between the packets, so that a reader loses the frame of them. Over a connection only.
 * drop: pictures are left out, evenly, as a camera does whose rate is turned down; `probability` is that of a picture, 0.5 where not given.
 * password: the one that clients know holds no longer; those that are connected are closed.
 * halfOpen: nothing is read and nothing written, as of a camera whose power went while TCP believes in it.
 */
export type RtspFault =
  | { kind: 'freeze' | 'cut' | 'garbage' | 'halfOpen' | 'password' }
  | { kind: 'corrupt' | 'drop'; probability?: number };

export const CORRUPT_PROBABILITY = 0.05;
export const DROP_PROBABILITY = 0.5;
const FLIPS_PER_PACKET = 8;
const GARBAGE_BYTES = 1000;

/** Flips bytes of a payload behind its first two, so that the damage reaches the decoder and not only the unpacking. */
export function spoilPayload(payload: Buffer, probability: number, random: () => number): void {
  if (payload.length <= 2 || random() >= probability) return;
  for (let i = 0; i < FLIPS_PER_PACKET; i++) {
    const at = 2 + Math.floor(random() * (payload.length - 2));
    payload[at] = (payload[at] ?? 0) ^ (1 + Math.floor(random() * 255));
  }
}

/** What no reader can make sense of, `$` and lengths among it. */
export function garbage(random: () => number): Buffer {
  return Buffer.from(Array.from({ length: GARBAGE_BYTES }, () => Math.floor(random() * 256)));
}
