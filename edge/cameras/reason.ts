/** Why a stream failed, as a stable word for people and dashboards. */
export type FailureReason =
  | 'unauthorised'
  | 'refused'
  | 'not_found'
  | 'unreachable'
  | 'stalled'
  | 'disconnected'
  | 'failed'
  | 'address'
  | 'codec'
  | 'changed';

const SIGNS: readonly (readonly [RegExp, FailureReason])[] = [
  [/\b401\b|\b403\b|unauthori[sz]ed|forbidden|authorization failed/i, 'unauthorised'],
  [/connection refused/i, 'refused'],
  // As RTSP and HTTP write it: `moov atom not found` is another thing.
  [/\b404\b|Not Found/, 'not_found'],
  [/could not find tag for codec|codec not currently supported in container/i, 'codec'],
  [/timed out|no route to host|unreachable|could not resolve|name or service not known/i, 'unreachable'],
];

/** The first word of what ffmpeg says in its errors; null when it says nothing of use. */
export function failureOf(stderr: string): FailureReason | null {
  const errors = stderr.split('\n').filter((line) => /\[(?:error|fatal|panic)\]/.test(line));
  return SIGNS.find(([sign]) => errors.some((line) => sign.test(line)))?.[1] ?? null;
}

const GRAPH = /^\[graph \d+ input from stream [^\]]*\] \[verbose\] w:(\d+) h:(\d+) /;

/** The size of the pictures that ffmpeg sets itself up for, where a line tells it: again when the camera changes it. */
export function sizeIn(line: string): string | null {
  const [, width, height] = GRAPH.exec(line) ?? [];
  return width === undefined ? null : `${width}x${height}`;
}

const DAMAGE = /^\[(?:h264|hevc|mjpeg) @ \w+\] \[error\]/;

/** Whether a decoder complains of what it was given. */
export function isDamage(line: string): boolean {
  return DAMAGE.test(line);
}

/** ffmpeg follows a camera that sends it elsewhere, past every check: whoever runs it ends it on this sign. */
export function isRedirect(stderr: string): boolean {
  return stderr.includes('Redirecting to');
}

/** ffmpeg repeats its address in messages: user and password go. */
export function withoutCredentials(text: string): string {
  return text.replace(/((?:rtsps?|https?):\/\/)[^@\s/]*@/gi, '$1***@');
}

/** A stream could not be had, and why. */
export class StreamError extends Error {
  readonly reason: FailureReason;
  constructor(reason: FailureReason, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'StreamError';
    this.reason = reason;
  }
}
