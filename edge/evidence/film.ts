import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setShare } from '#service/mod.ts';
import { blockPx } from './mask.ts';
import { captionStrip } from './picture.ts';
import type { Showing } from './plan.ts';

/** One clip, as it is to be filmed. */
export interface FilmOrder {
  /** Init and fragments of the camera's stream, as they came. */
  stream: Buffer;
  /** Of the stream's pictures. */
  widthPx: number;
  heightPx: number;
  /** Pictures a second of the stream: the clip has no more. */
  fps: number;
  /** Seconds into the stream at which the clip begins, and how long it is. */
  fromS: number;
  lengthS: number;
  /** What may be shown so many seconds after its beginning. */
  showing(afterS: number): Showing | null;
  /** What is written under it, so many whole seconds after its beginning. */
  lines(afterS: number): string[];
  /** Is made; an MP4 with its index in front, which a browser plays while it loads. */
  file: string;
  ffmpeg?: string | undefined;
}

/** Pictures a second, and width, of a clip, at most: what tells one thing from another, at a quarter of the bytes. */
const FPS_MAX = 10;
const WIDTH_PX_MAX = 854;
/** The mask is drawn in steps of so many pixels; what is covered is covered whole steps. */
const STEP_PX = 4;
const CRF = 26;
/** 10 s are 2 MB. */
const KBIT_PER_S_MAX = 1600;
const LONGEST_S = 15;
/** A machine that is busy with better things takes long; then there is no clip. */
const FILM_MS_MAX = 120_000;
/** A tenth of what another program gets: on a full machine it is made, slowly. */
const NICE = 10;
const STDERR_CHARS_MAX = 2000;

/**
 * Decodes, masks, writes under it and encodes again, in one ffmpeg of low priority and one thread, which lives for this
 * clip only:
 *
 *   pipe:0 the stream  --> a second size ----> small and large again: blocks --+
 *                                        \---> as it is ------------------------+-> merged by the mask --+
 *   pipe:3 the mask, as many a second, white where the picture may be seen ---------+                         +-> H.264
 *   pipe:4 the strip with the text, one a second ---------------------------------------------------------+
 *
 * The mask after the last one is black, for ffmpeg repeats it. Throws with what ffmpeg said.
 */
export async function film(order: FilmOrder): Promise<void> {
  const size = sizeOf(order);
  const lengthS = Math.min(LONGEST_S, order.lengthS);
  const fps = Math.min(FPS_MAX, Math.max(1, Math.round(order.fps)));
  const clip = { ...order, lengthS, fps };
  const child = spawn(order.ffmpeg ?? 'ffmpeg', filmArguments(clip, size), {
    stdio: ['pipe', 'ignore', 'pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '', LANG: 'C' },
    // A session of its own: within ours it would only come after what else we do, and other programs after it.
    detached: true,
  });
  let stderr = '';
  child.stderr?.on('data', (text: Buffer) => {
    stderr = (stderr + text.toString('utf8')).slice(-STDERR_CHARS_MAX);
  });
  const closed = once(child, 'close').catch((error: Error) => {
    stderr += error.message;
    return [null];
  });
  // One that dies with unread input resets its pipes, also those that we are through with. What ends them is told by its end.
  for (const pipe of child.stdio) pipe?.on('error', () => {});
  if (child.pid !== undefined) setShare(child.pid, NICE);
  const late = setTimeout(() => child.kill('SIGKILL'), FILM_MS_MAX);
  const feed = (chunks: Iterable<Buffer>, to: unknown) =>
    pipeline(chunks, to as Writable).catch((error: NodeJS.ErrnoException) => {
      // ffmpeg closes what it no longer needs; but a mask that we could not draw must not be made up for by the one before.
      if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_PREMATURE_CLOSE') return;
      stderr += error.message;
      child.kill('SIGKILL');
    });
  await Promise.all([
    feed([order.stream], child.stdin),
    feed(masks(clip, size), child.stdio[3]),
    feed(strips(clip, size), child.stdio[4]),
  ]);
  const [code] = await closed;
  clearTimeout(late);
  if (code === 0) return;
  await rm(order.file, { force: true });
  throw new Error(`the clip could not be made (${code ?? 'killed'}): ${stderr.trim().slice(-400)}`);
}

interface Size {
  widthPx: number;
  heightPx: number;
  stripPx: number;
}

/** Whole steps of the mask. */
function sizeOf({ widthPx, heightPx, lines }: FilmOrder): Size {
  const width = Math.min(WIDTH_PX_MAX, widthPx);
  const steps = (px: number): number => Math.max(1, Math.round(px / STEP_PX)) * STEP_PX;
  const size = { widthPx: steps(width), heightPx: steps((heightPx * width) / widthPx) };
  return { ...size, stripPx: captionStrip(size.widthPx, lines(0)).height };
}

function filmArguments({ fromS, lengthS, fps, file }: FilmOrder, { widthPx, heightPx, stripPx }: Size): string[] {
  const block = blockPx(widthPx);
  const [across, down] = [Math.ceil(widthPx / block), Math.ceil(heightPx / block)];
  const filters = [
    `[0:v:0]setpts=PTS-STARTPTS,trim=start=${fromS.toFixed(3)}:duration=${lengthS.toFixed(3)},setpts=PTS-STARTPTS,fps=${fps}:start_time=0`,
    `scale=${widthPx}:${heightPx}:flags=area,setsar=1,format=gbrp,split=2[one][two]`,
  ].join(',');
  const blocks = `[one]scale=${across}:${down}:flags=area,scale=${widthPx}:${heightPx}:flags=neighbor[blocks]`;
  const mask = `[1:v:0]scale=${widthPx}:${heightPx}:flags=neighbor,format=gbrp[mask]`;
  const merged = '[blocks][two][mask]maskedmerge[masked]';
  const strip = `[2:v:0]fps=${fps}[strip]`;
  const whole = '[masked]format=rgb24[top];[top][strip]vstack=inputs=2:shortest=1,format=yuv420p[film]';
  const raw = (pixels: string, width: number, height: number, perS: number, input: string) => [
    ...['-f', 'rawvideo', '-pixel_format', pixels, '-video_size', `${width}x${height}`, '-framerate', String(perS), '-i', input],
  ];
  return [
    ...['-hide_banner', '-nostdin', '-loglevel', 'error', '-y', '-protocol_whitelist', 'pipe,file'],
    ...['-threads', '1', '-f', 'mp4', '-i', 'pipe:0'],
    ...raw('gray', widthPx / STEP_PX, heightPx / STEP_PX, fps, 'pipe:3'),
    ...raw('rgba', widthPx, stripPx, 1, 'pipe:4'),
    ...['-filter_complex_threads', '1', '-filter_complex', [filters, blocks, mask, merged, strip, whole].join(';')],
    ...['-map', '[film]', '-map_metadata', '-1', '-an', '-fflags', '+bitexact', '-frames:v', String(Math.floor(lengthS * fps))],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-profile:v', 'high', '-crf', String(CRF), '-threads', '1'],
    ...['-maxrate', `${KBIT_PER_S_MAX}k`, '-bufsize', `${KBIT_PER_S_MAX}k`, '-g', String(fps * 2)],
    ...['-movflags', '+faststart', '-f', 'mp4', file],
  ];
}

function* masks({ showing, lengthS, fps }: FilmOrder, { widthPx, heightPx }: Size): Generator<Buffer> {
  const [across, down] = [widthPx / STEP_PX, heightPx / STEP_PX];
  for (let n = 0; n < lengthS * fps; n++) yield maskOf(showing(n / fps), across, down);
  yield maskOf(null, across, down);
}

/** White where the picture may be seen: within the box, whole steps only, and beside every person, whole steps too. */
export function maskOf(showing: Showing | null, across: number, down: number): Buffer {
  const mask = Buffer.alloc(across * down);
  if (showing === null) return mask;
  const { keep, people } = showing;
  const fill = (value: number, left: number, top: number, right: number, bottom: number): void => {
    const [from, to] = [Math.max(0, left), Math.min(across, right)];
    for (let y = Math.max(0, top); y < Math.min(down, bottom) && from < to; y++)
      mask.fill(value, y * across + from, y * across + to);
  };
  fill(255, Math.ceil(keep[0] * across), Math.ceil(keep[1] * down), Math.floor(keep[2] * across), Math.floor(keep[3] * down));
  for (const [left, top, right, bottom] of people)
    fill(0, Math.floor(left * across), Math.floor(top * down), Math.ceil(right * across), Math.ceil(bottom * down));
  return mask;
}

function* strips({ lines, lengthS }: FilmOrder, { widthPx }: Size): Generator<Buffer> {
  for (let second = 0; second <= lengthS; second++) yield captionStrip(widthPx, lines(second)).data();
}
