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
  /** Nothing else is decoded. */
  keyFramesOnly: boolean;
  /** A third output: the stream as it comes, in an MP4. */
  media: boolean;
}

/** A fragment of the MP4 is as long as this, or begins with a key frame: what a viewer waits, at most. */
const FRAGMENT_US = 250_000;

/** ffmpeg gives up a silent socket after so long; our own watchdog does not rely on it. */
const SOCKET_TIMEOUT_US = 10_000_000;

/** Where ffmpeg finds the stream: an `rtspScript` or JPEG pictures on its standard input, or a recording. */
export type StreamInput = 'rtsp' | 'mjpeg' | { file: string };

/**
 * The arguments of one camera's ffmpeg: a fixed list, of which only the rate, the sizes and a checked file vary, and no
 * shell in between. Outputs of one process, of which the first two are a pair per analysed picture:
 *
 *   pipe:1  the model's input, rgb24, letterboxed, fixed size
 *   pipe:3  the full picture as PGMYUV: it states its size, which is that of the first one. ffmpeg would scale all later ones to
 *           it: whoever runs it ends it when the camera changes its own
 *   pipe:4  where it is asked for, the stream itself, not decoded, as fragmented MP4
 */
export function ffmpegArguments(
  stream: StreamInput,
  { fps, keyFramesOnly, media }: StreamOptions,
  { input, fullWidthMax }: PictureFormat,
): string[] {
  // The first picture of each period by arrival: cameras' own time stamps jump, and so that 5 a second give 2 on average.
  const period = (t: string): string => `floor(${t}*${fps})`;
  const due = `isnan(prev_selected_t)+not(eq(${period('t')}\\,${period('prev_selected_t')}))`;
  const filters = [`[0:v:0]select='${due}',${toFull(fullWidthMax)},split=2[full][small]`, `[small]${toInput(input)}[model]`].join(
    ';',
  );
  return [
    ...GENERAL,
    ...['-flags', 'low_delay', '-threads', '1'],
    ...(keyFramesOnly ? ['-skip_frame', 'nokey'] : []),
    ...inputArguments(stream),
    ...['-filter_complex_threads', '1', '-filter_complex', filters],
    ...['-map', '[model]', '-fps_mode', 'passthrough', '-threads', '1', '-c:v', 'rawvideo', '-f', 'rawvideo', 'pipe:1'],
    ...['-map', '[full]', '-fps_mode', 'passthrough', '-threads', '1', '-c:v', 'pgmyuv', '-f', 'image2pipe', 'pipe:3'],
    ...(media ? copied('pipe:4') : []),
  ];
}

/** The arguments of an ffmpeg that decodes nothing: the stream as fragmented MP4 on pipe:1. */
export function copyArguments(stream: StreamInput): string[] {
  return [...GENERAL, ...inputArguments(stream), ...copied('pipe:1')];
}

/** `info` tells of redirects, `verbose` of pictures of another size; each line states its level. */
const GENERAL = ['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'level+verbose'] as const;

/** The first picture stream as it is, in fragments that each can be passed on as soon as they are written. */
function copied(output: string): string[] {
  const flags = 'frag_keyframe+empty_moov+default_base_moof+skip_trailer';
  const fragments = ['-movflags', flags, '-frag_duration', String(FRAGMENT_US), '-flush_packets', '1'];
  return ['-map', '0:v:0', '-c:v', 'copy', ...fragments, '-f', 'mp4', output];
}

/** Enough to see what a stream is, and no more: the first picture is waited for. */
const PROBE = { probesize: '1000000', analyzeduration: '1000000', fpsprobesize: '0' } as const;
// No `-fflags nobuffer`: it throws away what was probed, and H.265 is then grey until the next key frame.
const PROBE_ARGUMENTS = Object.entries(PROBE).flatMap(([name, value]) => [`-${name}`, value]);
const RTSP_PROTOCOLS = 'rtsp,rtp,tcp,tls,udp';

function inputArguments(stream: StreamInput): string[] {
  const live = [...PROBE_ARGUMENTS, '-use_wallclock_as_timestamps', '1'];
  if (stream === 'mjpeg') return ['-protocol_whitelist', 'pipe', ...live, '-f', 'mpjpeg', '-i', 'pipe:0'];
  if (stream === 'rtsp')
    return ['-protocol_whitelist', `pipe,${RTSP_PROTOCOLS}`, ...live, '-f', 'concat', '-safe', '0', '-i', 'pipe:0'];
  // In real time by its own time stamps, over and over.
  return ['-protocol_whitelist', 'file', ...PROBE_ARGUMENTS, '-re', '-stream_loop', '-1', '-i', `file:${stream.file}`];
}

/** What ffmpeg reads on its standard input to open an RTSP address (ffmpeg-formats, concat): so that the address is no argument. */
export function rtspScript(url: string, transport: 'tcp' | 'udp'): string {
  const options = { rtsp_transport: transport, timeout: SOCKET_TIMEOUT_US, allowed_media_types: 'video', ...PROBE };
  const lines = Object.entries(options).map(([name, value]) => `option ${name} ${value}`);
  return ['ffconcat version 1.0', `file '${url.replaceAll("'", '%27')}'`, ...lines, ''].join('\n');
}

/** Filters that make any picture 4:2:0 with even sides, its colours those of BT.601 whatever the camera's are. */
function toFull(widthMax: number): string {
  const size = `w='trunc(min(iw\\,${widthMax})/2)*2':h=-2`;
  // `scale` does not write what it has made of the colours into the picture.
  return `scale=${size}:flags=area:out_color_matrix=bt601:out_range=tv,format=yuv420p,setparams=range=tv:colorspace=smpte170m`;
}

/** Filters that make any picture the model's input. */
export function toInput({ width, height, letterbox }: PictureFormat['input']): string {
  if (letterbox === null) return `scale=${width}:${height}:flags=area,format=rgb24`;
  const grey = letterbox.pad.toString(16).padStart(2, '0').repeat(3);
  const fitted = `scale=${width}:${height}:force_original_aspect_ratio=decrease:flags=area,format=rgb24`;
  return `${fitted},pad=${width}:${height}:(ow-iw)/2:(oh-ih)/2:color=0x${grey}`;
}
