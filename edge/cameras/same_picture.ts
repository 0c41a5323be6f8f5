import { isDeepStrictEqual } from 'node:util';
import type { ModelManifest } from '#models/mod.ts';

/** Whether the cameras' pictures for one model are those for the other. */
export function isSamePicture({ input: a }: ModelManifest, { input: b }: ModelManifest): boolean {
  const picture = ({ width, height, letterbox }: ModelManifest['input']) => ({ width, height, letterbox });
  return isDeepStrictEqual(picture(a), picture(b));
}
