import { open } from 'node:fs/promises';
import { loadImage } from '@napi-rs/canvas';

export interface PictureSize {
  widthPx: number;
  heightPx: number;
}

const HEAD_BYTES = 64 * 1024;
const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

/** Size of a picture file; throws with the reason when there is none. JPEG and PNG are read by their heads, others whole. */
export async function sizeOf(file: string): Promise<PictureSize> {
  const head = await headOf(file);
  if (head.subarray(0, 8).equals(PNG)) return { widthPx: head.readUInt32BE(16), heightPx: head.readUInt32BE(20) };
  const jpeg = head[0] === 0xff && head[1] === 0xd8 ? jpegSize(head) : null;
  if (jpeg !== null) return jpeg;
  const { width, height } = await loadImage(file);
  return { widthPx: width, heightPx: height };
}

async function headOf(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** From the frame header (SOF0 to SOF15 without DHT, JPG, DAC: ITU-T T.81, B.1.1.3); null when it is not in the head. */
function jpegSize(head: Buffer): PictureSize | null {
  for (let at = 2; at + 9 < head.length && head[at] === 0xff; at += 2 + head.readUInt16BE(at + 2)) {
    const marker = head[at + 1] as number;
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
      return { heightPx: head.readUInt16BE(at + 5), widthPx: head.readUInt16BE(at + 7) };
  }
  return null;
}
