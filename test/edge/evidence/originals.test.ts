import { chmod, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NodeKeys, OriginalStore } from '#edge/evidence/mod.ts';
import { signManifest, silentLog, systemClock } from '#service/mod.ts';
import { sha256Of } from '#test/support/evidence.ts';
import { tempDir } from '#test/support/temp.ts';
import { manifestOf } from '../../ingest/evidence/records.ts';

const content = Buffer.alloc(3_000_000, 'a face ');

async function open(dir: string, quotaBytes = 1e9) {
  const keys = new NodeKeys({ dir: join(dir, 'keys'), log: silentLog });
  await keys.open();
  const common = { clock: systemClock, log: silentLog };
  const originals = new OriginalStore({ dir: join(dir, 'originals'), keys, quotaBytes, retention: {}, ...common });
  await originals.open();
  const put = async (bytes: Buffer, event = 'ev-1') => {
    const about = { sha256: sha256Of(bytes), bytes: bytes.length, event, masked: false, takenAt: Date.now() };
    await originals.put(bytes, signManifest(manifestOf(about), keys.signing));
    return about.sha256;
  };
  return { keys, originals, put, folder: join(dir, 'originals') };
}

test('an original lies encrypted, is read back whole, also after a restart and a rotation of the key', async () => {
  const dir = await tempDir();
  const first = await open(dir);
  const old = await first.put(content);
  await first.keys.rotate();
  const young = await first.put(Buffer.from('another'), 'ev-2');
  for (const name of await readdir(first.folder)) {
    expect((await readFile(join(first.folder, name))).includes('a face')).toBe(false);
    expect((await stat(join(first.folder, name))).mode & 0o077).toBe(0);
  }
  await writeFile(join(first.folder, 'torn.enc.part'), 'x');
  const second = await open(dir);
  expect(second.keys.publicKey).toBe(first.keys.publicKey);
  expect((await second.originals.read(old))?.equals(content)).toBe(true);
  expect((await second.originals.read(young))?.toString()).toBe('another');
  expect(second.originals.ofEvent('ev-2').map((s) => s.manifest.sha256)).toEqual([young]);
  expect(await readdir(second.folder)).toHaveLength(4);
  expect(await second.originals.read('0'.repeat(64))).toBeNull();
});

test('whoever has the files and not the key has nothing; what was changed or swapped is not opened', async () => {
  const dir = await tempDir();
  const { put, folder } = await open(dir);
  const [a, b] = [await put(content), await put(Buffer.alloc(3_000_000, 'b'), 'ev-2')];
  const read = async (sha256: string) => (await open(dir)).originals.read(sha256);
  await rename(join(folder, `${b}.enc`), join(folder, `${a}.enc`));
  await expect(read(a)).rejects.toThrow();
  await rm(join(dir, 'keys/wrapping-1.key'));
  // A new key is made; what the old one had wrapped is lost.
  await expect(read(a)).rejects.toThrow();
});

test('keys that others could read are closed again', async () => {
  const dir = await tempDir();
  await open(dir);
  const file = join(dir, 'keys/signing.pem');
  await chmod(file, 0o644);
  await open(dir);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(join(dir, 'keys'))).mode & 0o777).toBe(0o700);
});

test('above the quota the oldest original goes', async () => {
  const { put, originals } = await open(await tempDir(), 250);
  const names = [];
  for (const letter of 'abc') names.push(await put(Buffer.alloc(100, letter), `ev-${letter}`));
  expect(names.map((n) => originals.get(n) !== null)).toEqual([false, true, true]);
  expect(originals.stats()).toMatchObject({ files: 2, bytes: 200, dropped: 1 });
});

test('two events of one picture keep it once, also when they come together', async () => {
  const dir = await tempDir();
  const { put, originals } = await open(dir);
  const [a, b] = await Promise.all([put(content, 'ev-1'), put(content, 'ev-2')]);
  expect(a).toBe(b);
  expect((await originals.read(a))?.equals(content)).toBe(true);
});
