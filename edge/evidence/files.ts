import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes a file so that after a crash it is there whole or not at all: temporary name, fsync, rename, fsync of the folder. */
export async function writeDurably(file: string, bytes: Uint8Array | string): Promise<void> {
  const part = `${file}.part`;
  try {
    await withFile(part, 'w', async (handle) => {
      await handle.writeFile(bytes);
      await handle.sync();
    });
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  await syncFolder(dirname(file));
}

/** Makes renames and new names in a folder last. */
export async function syncFolder(dir: string): Promise<void> {
  await withFile(dir, 'r', (handle) => handle.sync());
}

export async function makeFolder(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o750 });
}

async function withFile(file: string, flags: string, work: (handle: FileHandle) => Promise<void>): Promise<void> {
  const handle = await open(file, flags, 0o640);
  try {
    await work(handle);
  } finally {
    await handle.close();
  }
}
