import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SmallDisk } from '#cli/chaos/disk.ts';
import { tempDir } from '../support/temp.ts';

test('a small disk is full to the last block, and has room again', async (context) => {
  const disk = new SmallDisk(join(await tempDir(), 'disk'));
  onTestFinished(() => disk.unmount());
  context.skip(!(await disk.mount()), 'mounting needs root');
  const file = join(disk.path, 'file');
  await writeFile(file, 'before');
  await disk.fill();
  await expect(writeFile(join(disk.path, 'more'), 'x'.repeat(4096))).rejects.toThrow('ENOSPC');
  await disk.empty();
  await writeFile(join(disk.path, 'more'), 'x'.repeat(4096));
  expect(await readFile(file, 'utf8')).toBe('before');
});
