import { once } from 'node:events';
import { lstat, realpath } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { SiteCamera } from '#grid/mod.ts';
import { GewuError } from '#service/mod.ts';
import { type CameraAddress, streamUrl } from './address.ts';
import { rtspScript, type StreamInput } from './arguments.ts';
import { openHttpStream } from './http.ts';
import { StreamError } from './reason.ts';

/** Where one stream of a camera comes from. */
export type StreamAddress = (CameraAddress | RecordedFile) & { transport: 'tcp' | 'udp' };

/** A recording that stands for a camera: a file of this name in the folder that the node's configuration names. */
export interface RecordedFile {
  id: string;
  file: string;
}

/** The stream whose pictures are looked at, and the main one where that is another. */
export function streamsOf(camera: SiteCamera): { analysed: StreamAddress; main: StreamAddress | null } {
  const { id, username, password, allowLocalAddress, streams, url = '', file, transport } = camera;
  if (file !== undefined) return { analysed: { id, file, transport }, main: null };
  const shared = { id, username, password, allowLocalAddress };
  if (streams === undefined) return { analysed: { ...shared, url, transport }, main: null };
  return { analysed: { ...shared, ...streams.sub }, main: { ...shared, ...streams.main } };
}

/** Whether the stream is one that an MP4 may hold; single JPEG pictures are not. */
export function isMovie(address: StreamAddress): boolean {
  return 'file' in address || !address.url.startsWith('http');
}

export interface OpenStream {
  input: StreamInput;
  /** What ffmpeg gets on its standard input. */
  feed: Readable | string | null;
}

/** `filesDir` is the one folder out of which recordings are played. */
export interface OpenOptions {
  filesDir: string | null;
  signal: AbortSignal;
  /** Whether the camera is there at all is looked at first, without an ffmpeg, which costs a hundred times as much. */
  probe: boolean;
}

/**
 * What ffmpeg is to read, after all checks of the address. User and password are in `feed` and never among the arguments
 * of ffmpeg, which everybody on the machine can see. Throws GEWU_CAMERA_URL, GEWU_CAMERA_OFFLINE, StreamError.
 */
export async function openStream(address: StreamAddress, { filesDir, signal, probe }: OpenOptions): Promise<OpenStream> {
  if ('file' in address) return { input: { file: await fileOf(address, filesDir) }, feed: null };
  const url = await streamUrl(address);
  const { allowLocalAddress, transport } = address;
  if (isMovie(address)) {
    if (probe) await knock(url, signal);
    return { input: 'rtsp', feed: rtspScript(url, transport) };
  }
  return { input: 'mjpeg', feed: await openHttpStream({ url, allowLocalAddress, signal }) };
}

const KNOCK_MS_MAX = 3000;
const RTSP_PORTS: Readonly<Record<string, number>> = { 'rtsp:': 554, 'rtsps:': 322 };

/** Throws StreamError where nobody takes the connection. */
async function knock(url: string, signal: AbortSignal): Promise<void> {
  const { hostname, port, protocol } = new URL(url);
  const socket = connect(Number(port) || (RTSP_PORTS[protocol] as number), hostname.replace(/^\[|\]$/g, ''));
  try {
    await once(socket, 'connect', { signal: AbortSignal.any([signal, AbortSignal.timeout(KNOCK_MS_MAX)]) });
  } catch (cause) {
    const refused = (cause as NodeJS.ErrnoException).code === 'ECONNREFUSED';
    throw new StreamError(refused ? 'refused' : 'unreachable', (cause as Error).message, { cause });
  } finally {
    socket.on('error', () => {}).destroy();
  }
}

/** A plain file in the folder itself; a link out of it is none. */
async function fileOf({ id, file }: RecordedFile, filesDir: string | null): Promise<string> {
  const refuse = (why: string) => new GewuError('GEWU_CAMERA_URL', `camera ${id}: file ${file}: ${why}`);
  if (filesDir === null) throw refuse('the edge has no vision.filesDir');
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(file)) throw refuse('not the name of a file');
  const path = join(await realpath(filesDir).catch(() => filesDir), file);
  const found = await lstat(path).catch(() => null);
  if (found === null) throw refuse('is not in vision.filesDir');
  if (!found.isFile()) throw refuse('is no plain file');
  return path;
}
