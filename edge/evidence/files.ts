import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

const FILE_MODE = 0o640;

/** Writes a file so that after a crash it is there whole or not at all: temporary name, fsync, rename, fsync of the folder. */
export async function writeDurably(file: string, bytes: Uint8Array | string, mode = FILE_MODE): Promise<void> {
  const part = `${file}.part`;
  try {
    await withFile(part, { flags: 'w', mode }, async (handle) => {
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

type Written = readonly [file: string, bytes: Uint8Array | string];

/**
 * A file and the card about it, side by side: an event waits for both, and each costs two fsyncs. After a crash, or an error, there may be one of
 * them without the other, which whoever opens the folder removes.
 */
export async function writeBothDurably(file: Written, card: Written, mode = FILE_MODE): Promise<void> {
  const written = await Promise.allSettled([file, card].map(([name, bytes]) => writeDurably(name, bytes, mode)));
  for (const result of written) if (result.status === 'rejected') throw result.reason;
}

/** Makes renames and new names in a folder last. */
export async function syncFolder(dir: string): Promise<void> {
  await withFile(dir, { flags: 'r', mode: FILE_MODE }, (handle) => handle.sync());
}

export async function makeFolder(dir: string, mode = 0o750): Promise<void> {
  await mkdir(dir, { recursive: true, mode });
}

interface Opening {
  flags: string;
  mode: number;
}

async function withFile(file: string, { flags, mode }: Opening, work: (handle: FileHandle) => Promise<void>): Promise<void> {
  const handle = await open(file, flags, mode);
  try {
    await work(handle);
  } finally {
    await handle.close();
  }
}
