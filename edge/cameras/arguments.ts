/** What the pictures are made into. */
export interface PictureFormat {
  /** The model's input. */
  input: { width: number; height: number; letterbox: { pad: number } | null };
  /** The full picture is scaled down to this width when it is wider. */
  fullWidthMax: number;
}

/** What is asked of the stream. */
export interface StreamOptions {
  fps: number;
  transport: 'tcp' | 'udp';
  /** Nothing else is decoded. */
  keyFramesOnly: boolean;
  /** A third output: the stream as it comes, in an MP4. */
  media: boolean;
}

/** A fragment of the MP4 is as long as this, or begins with a key frame: what a viewer waits, at most. */
const FRAGMENT_US = 250_000;

/** ffmpeg gives up a silent socket after so long; our own watchdog does not rely on it. */
const SOCKET_TIMEOUT_US = 10_000_000;

/** Where ffmpeg finds the stream: an address of its own, or JPEG pictures on its standard input. */
export type StreamInput = { rtsp: string } | 'mjpeg';

/**
 * The arguments of one camera's ffmpeg: a fixed list, of which only the address, the rate and the sizes vary, and no
 * shell in between. Outputs of one process, of which the first two are a pair per analysed picture:
 *
 *   pipe:1  the model's input, rgb24, letterboxed, fixed size
 *   pipe:3  the full picture as PPM: each one states its own size, so a camera that changes its resolution is no surprise
 *   pipe:4  where it is asked for, the stream itself, not decoded, as fragmented MP4
 */
export function ffmpegArguments(
  stream: StreamInput,
  { fps, transport, keyFramesOnly, media }: StreamOptions,
  { input, fullWidthMax }: PictureFormat,
): string[] {
  // The first picture of each period by arrival: cameras' own time stamps jump, and so that 5 a second give 2 on average.
  const period = (t: string): string => `floor(${t}*${fps})`;
  const due = `isnan(prev_selected_t)+not(eq(${period('t')}\\,${period('prev_selected_t')}))`;
  const filters = [
    `[0:v:0]select='${due}',scale=w='min(iw\\,${fullWidthMax})':h=-2:flags=area,format=rgb24,split=2[full][small]`,
    `[small]${toInput(input)}[model]`,
  ].join(';');
  return [
    ...['-hide_banner', '-nostdin', '-loglevel', 'error'],
    ...(stream === 'mjpeg' ? ['-protocol_whitelist', 'pipe'] : rtspArguments(transport)),
    // No `-fflags nobuffer`: it throws away what was probed, and H.265 is then grey until the next key frame.
    ...['-flags', 'low_delay'],
    ...[
      '-probesize',
      '1000000',
      '-analyzeduration',
      '1000000',
      '-fpsprobesize',
      '0',
      '-use_wallclock_as_timestamps',
      '1',
      '-threads',
      '1',
    ],
    ...(keyFramesOnly ? ['-skip_frame', 'nokey'] : []),
    ...(stream === 'mjpeg' ? ['-f', 'mpjpeg', '-i', 'pipe:0'] : ['-i', stream.rtsp]),
    ...['-filter_complex_threads', '1', '-filter_complex', filters],
    ...['-map', '[model]', '-fps_mode', 'passthrough', '-threads', '1', '-c:v', 'rawvideo', '-f', 'rawvideo', 'pipe:1'],
    ...['-map', '[full]', '-fps_mode', 'passthrough', '-threads', '1', '-c:v', 'ppm', '-f', 'image2pipe', 'pipe:3'],
    ...(media ? copyArguments('pipe:4') : []),
  ];
}

/** The first picture stream as it is, in fragments that each can be passed on as soon as they are written. */
function copyArguments(output: string): string[] {
  const flags = 'frag_keyframe+empty_moov+default_base_moof+skip_trailer';
  const fragments = ['-movflags', flags, '-frag_duration', String(FRAGMENT_US), '-flush_packets', '1'];
  return ['-map', '0:v:0', '-c:v', 'copy', ...fragments, '-f', 'mp4', output];
}

function rtspArguments(transport: 'tcp' | 'udp'): string[] {
  const wire = [
    '-protocol_whitelist',
    'rtsp,rtp,tcp,tls,udp',
    '-rtsp_transport',
    transport,
    '-timeout',
    String(SOCKET_TIMEOUT_US),
  ];
  return [...wire, '-allowed_media_types', 'video'];
}

/** Filters that make any picture the model's input. */
export function toInput({ width, height, letterbox }: PictureFormat['input']): string {
  if (letterbox === null) return `scale=${width}:${height}:flags=area,format=rgb24`;
  const grey = letterbox.pad.toString(16).padStart(2, '0').repeat(3);
  const fitted = `scale=${width}:${height}:force_original_aspect_ratio=decrease:flags=area,format=rgb24`;
  return `${fitted},pad=${width}:${height}:(ow-iw)/2:(oh-ih)/2:color=0x${grey}`;
}

/** Why ffmpeg failed, as a stable word for people and dashboards. */
export type FailureReason =
  | 'unauthorised'
  | 'refused'
  | 'not_found'
  | 'unreachable'
  | 'stalled'
  | 'disconnected'
  | 'failed'
  | 'address'
  | 'codec';

const SIGNS: readonly (readonly [RegExp, FailureReason])[] = [
  [/\b401\b|\b403\b|unauthori[sz]ed|forbidden|authorization failed/i, 'unauthorised'],
  [/connection refused/i, 'refused'],
  [/\b404\b|not found/i, 'not_found'],
  [/could not find tag for codec|codec not currently supported in container/i, 'codec'],
  [/timed out|no route to host|unreachable|could not resolve|name or service not known/i, 'unreachable'],
];

export function failureOf(stderr: string): FailureReason | null {
  return SIGNS.find(([sign]) => sign.test(stderr))?.[1] ?? null;
}

/** ffmpeg repeats its address in messages: user and password go. */
export function withoutCredentials(text: string): string {
  return text.replace(/((?:rtsps?|https?):\/\/)[^@\s/]*@/gi, '$1***@');
}
