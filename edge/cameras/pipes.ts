import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What is in a pipe at most (pipe(7)): a larger buffer would never be full. */
const READ_BYTES = 65_536;
/** All pipes are read into this one: whoever is given a part of it has copied what it wants when it returns. */
const shared = Buffer.allocUnsafeSlow(READ_BYTES);

/** One pipe from a child to us. */
export interface InputPipe {
  /** For the child's `stdio`. */
  readonly childFd: number;
  /** The child runs, and its end is its own. `read` is called with memory that is used again when it returns. */
  begin(read: (chunk: Buffer) => void): void;
  /** Also before `begin`. */
  close(): void;
}

/**
 * Pipes that are read into memory which is always the same. Those that a child process is given by default take new memory for
 * every read: at a megabyte a picture the collector of garbage then costs as much as everything else that we do with it.
 */
export async function openPipes(count: number): Promise<InputPipe[]> {
  const dir = await mkdtemp(join(tmpdir(), 'gewu-pipes-'));
  try {
    const paths = Array.from({ length: count }, (_, n) => join(dir, String(n)));
    await promisify(execFile)('mkfifo', ['-m', '600', ...paths]);
    return paths.map(openPipe);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The reader first, without waiting: the writer then finds one. Only the writing end blocks, as a child expects it. */
function openPipe(path: string): InputPipe {
  const readingFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const childFd = openSync(path, constants.O_WRONLY);
  let socket: Socket | null = null;
  return {
    childFd,
    begin(read) {
      closeSync(childFd);
      const callback = (bytes: number): boolean => {
        read(shared.subarray(0, bytes));
        return true;
      };
      socket = new Socket({ fd: readingFd, writable: false, onread: { buffer: shared, callback } });
      // What ends it is told by the child's end.
      socket.on('error', () => {});
    },
    close() {
      if (socket !== null) socket.destroy();
      else for (const fd of [childFd, readingFd]) closeSync(fd);
    },
  };
}
