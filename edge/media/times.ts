import { BOX_HEADER_BYTES, boxAt, boxesIn } from './boxes.ts';
import type { MediaFragment, MediaInit } from './stream.ts';

/** Version and flags of a full box come first. */
const FULL_BOX_BYTES = BOX_HEADER_BYTES + 4;

/**
 * Monotonic ms at which the first picture of these fragments came: by the stream's own times, and by the fragment that was
 * delayed least. Null when the fragments say no times. `fragments` are of this init, in order.
 */
export function startOf(init: MediaInit, fragments: readonly MediaFragment[]): number | null {
  const timescale = timescaleOf(init.bytes);
  const begins = fragments.map(({ bytes }) => decodeTimeOf(bytes));
  const first = begins[0];
  if (timescale === null || first === undefined || first === null) return null;
  const starts = fragments.flatMap(({ ms }, n) => {
    // A fragment is there when the next one begins.
    const end = begins[n + 1];
    return end === undefined || end === null ? [] : [ms - ((end - first) * 1000) / timescale];
  });
  return starts.length === 0 ? null : Math.min(...starts);
}

/** How many pictures these fragments hold (sample counts of `trun`: ISO/IEC 14496-12, 8.8.8). */
export function picturesIn(fragments: readonly MediaFragment[]): number {
  return fragments.reduce((sum, { bytes }) => sum + samplesOf(bytes), 0);
}

function samplesOf(fragment: Buffer): number {
  const traf = boxAt(moofOf(fragment), 'moof', 'traf');
  if (traf === null) return 0;
  const runs = [...boxesIn(traf)].filter(({ type }) => type === 'trun');
  return runs.reduce((sum, { bytes }) => sum + bytes.readUInt32BE(FULL_BOX_BYTES), 0);
}

/** The first box of a fragment, as a file of its own. */
function moofOf(fragment: Buffer): Buffer {
  return Buffer.concat([Buffer.alloc(BOX_HEADER_BYTES), fragment.subarray(0, fragment.readUInt32BE(0))]);
}

/** Units a second, of the one track (`mdhd`: ISO/IEC 14496-12, 8.4.2). */
function timescaleOf(init: Buffer): number | null {
  const moov = Buffer.concat([Buffer.alloc(BOX_HEADER_BYTES), init]);
  const mdhd = boxAt(moov, 'moov', 'trak', 'mdia', 'mdhd');
  if (mdhd === null) return null;
  // Before it stand the times of creation and change, 32 bits each, 64 in version 1.
  const timescale = mdhd.readUInt32BE(FULL_BOX_BYTES + (mdhd[BOX_HEADER_BYTES] === 1 ? 16 : 8));
  return timescale > 0 ? timescale : null;
}

/** Of the first picture, in units (`tfdt`: ISO/IEC 14496-12, 8.8.12). */
function decodeTimeOf(fragment: Buffer): number | null {
  const tfdt = boxAt(moofOf(fragment), 'moof', 'traf', 'tfdt');
  if (tfdt === null) return null;
  return tfdt[BOX_HEADER_BYTES] === 1 ? Number(tfdt.readBigUInt64BE(FULL_BOX_BYTES)) : tfdt.readUInt32BE(FULL_BOX_BYTES);
}
