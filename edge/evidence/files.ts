import { constants } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

const FILE_MODE = 0o640;
/** What is written is on the disk when it is written. */
const WRITE_THROUGH = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_DSYNC;

/** A file as it is to be on the disk. */
export interface DurableFile {
  file: string;
  bytes: Uint8Array | string;
  mode?: number;
}

/** Writes a file so that after a crash it is there whole or not at all. */
export function writeDurably(file: string, bytes: Uint8Array | string, mode?: number): Promise<void> {
  return writeAllDurably([{ file, bytes, ...(mode === undefined ? {} : { mode }) }]);
}

/**
 * Writes files of one folder, each of which is there whole or not at all after a crash: temporary names, written through, renamed in
 * this order, and the folder synced. An event waits for it, and each step is a turn of a thread on a machine that may be full: as
 * few as there can be, side by side where they can.
 */
export async function writeAllDurably(files: readonly [DurableFile, ...DurableFile[]]): Promise<void> {
  try {
    await allSettledWell(files.map(writePart));
    for (const { file } of files) await rename(partOf(file), file);
  } catch (error) {
    for (const { file } of files) await rm(partOf(file), { force: true });
    throw error;
  }
  await syncFolder(dirname(files[0].file));
}

const partOf = (file: string): string => `${file}.part`;

async function writePart({ file, bytes, mode = FILE_MODE }: DurableFile): Promise<void> {
  const handle = await open(partOf(file), WRITE_THROUGH, mode);
  try {
    await handle.writeFile(bytes);
  } finally {
    await handle.close();
  }
}

/** Waits for all, also where one fails, and throws what failed first. */
async function allSettledWell(all: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(all);
  await Promise.all(all);
}

/** Makes renames and new names in a folder last. */
export async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  // Nothing is lost by its end, and nobody waits for it.
  await handle.sync().finally(() => void handle.close().catch(() => undefined));
}

export async function makeFolder(dir: string, mode = 0o750): Promise<void> {
  await mkdir(dir, { recursive: true, mode });
}
