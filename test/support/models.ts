import type { KeyObject } from 'node:crypto';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packModel } from '#models/mod.ts';
import { signText } from '#service/mod.ts';

export const BRIGHT_STREET = join(import.meta.dirname, '../models/fixtures/bright-street');

/** A copy of the bright-street model with another manifest, or other bytes, signed. */
export async function variant(
  dir: string,
  key: KeyObject,
  { manifest: changes = {}, bytes }: { manifest?: object; bytes?: Buffer } = {},
): Promise<{ package: Buffer; sha256: string }> {
  await mkdir(dir, { recursive: true });
  const manifest = JSON.parse(await readFile(join(BRIGHT_STREET, 'manifest.json'), 'utf8'));
  const model = bytes ?? (await readFile(join(BRIGHT_STREET, manifest.file)));
  const sha256 = createHash('sha256').update(model).digest('hex');
  await writeFile(join(dir, manifest.file), model);
  await writeFile(join(dir, 'manifest.json'), JSON.stringify({ ...manifest, ...changes, sha256 }));
  const packed = await packModel(dir, (text) => signText(text, key));
  return { package: packed, sha256: createHash('sha256').update(packed).digest('hex') };
}
