import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { until } from '../../support/until.ts';

/** One system call of a traced process. Lines of the trace are counted: what began on a later line than another ended came after it. */
export interface Call {
  name: string;
  /** Of the file descriptor, or of the path that it names: a file, or `TCP:[local->remote]`. */
  target: string;
  /** What it wrote, of all its buffers. */
  data: Buffer;
  /** Its last numeric argument: where a pwrite64 writes, to what size an ftruncate cuts. */
  offset: number;
  result: number;
  beganAt: number;
  endedAt: number;
}

const CALLS = [
  'pwrite64',
  'write',
  'writev',
  'sendmsg',
  'sendto',
  'fdatasync',
  'fsync',
  'ftruncate',
  'unlink',
  'unlinkat',
  'rename',
];

/** Starts Node under strace, which writes `file`. The process given back is Node itself; strace watches it from aside. */
export function spawnTraced(file: string, args: readonly string[]): ChildProcess {
  const strace = ['-D', '-f', '-q', '--seccomp-bpf', '-yy', '-xx', '-s', '1000000', '-e', `trace=${CALLS.join(',')}`, '-o', file];
  // A ring of its own would write past the tracer.
  const env = { ...process.env, UV_USE_IO_URING: '0' };
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', ...args];
  return spawn('strace', [...strace, ...node], { env, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** The calls that ended, in the order of their ends, when the process of this id is gone and strace with it. */
export async function readTrace(file: string, pid: number): Promise<Call[]> {
  const over = new RegExp(`^${pid} +\\+\\+\\+ (exited|killed)`, 'm');
  await until(async () => over.test((await readFile(file, 'latin1')).slice(-4096)), { what: 'the end of the trace' });
  return parseTrace(await readFile(file, 'latin1'));
}

export function parseTrace(text: string): Call[] {
  const calls: Call[] = [];
  const begun = new Map<string, { text: string; at: number }>();
  for (const [at, line] of text.split('\n').entries()) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const resumed = /^<\.\.\. \w+ resumed>/.exec(rest)?.[0];
    const before = resumed === undefined ? undefined : begun.get(thread);
    const whole = resumed === undefined ? rest : (before?.text ?? '') + rest.slice(resumed.length);
    begun.delete(thread);
    if (whole.endsWith(' <unfinished ...>')) begun.set(thread, { text: whole.slice(0, -' <unfinished ...>'.length), at });
    else {
      const call = toCall(whole, before?.at ?? at, at);
      if (call) calls.push(call);
    }
  }
  return calls;
}

const HEX = '(?:\\\\x[0-9a-f]{2})*';
// Sockets are named in plain text, files are not.
const HEAD = new RegExp(`^(\\w+)\\((?:(?:AT_FDCWD|\\d+)<(${HEX}|\\w+:\\[[^\\]]*\\])>|"(${HEX})")`);
const BUFFER = new RegExp(`"(${HEX})"`, 'g');

function toCall(text: string, beganAt: number, endedAt: number): Call | null {
  const head = HEAD.exec(text);
  const tail = /(?:, (\d+))?\) += (-?\d+)/.exec(text.slice(-120));
  if (head === null || tail === null) return null;
  const [, name = '', byFd, byPath] = head;
  const buffers = byFd === undefined ? [] : [...text.matchAll(BUFFER)].map((m) => unhex(m[1] ?? ''));
  return {
    name,
    target: byFd?.endsWith(']') ? byFd : unhex(byFd ?? byPath ?? '').toString(),
    data: Buffer.concat(buffers),
    offset: Number(tail[1]),
    result: Number(tail[2]),
    beganAt,
    endedAt,
  };
}

const unhex = (text: string) => Buffer.from(text.replaceAll('\\x', ''), 'hex');
