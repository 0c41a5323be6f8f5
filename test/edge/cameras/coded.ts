import { execFileSync } from 'node:child_process';
import { silentLog, systemClock } from '#service/mod.ts';
import { type AccessUnit, type RtspFault, RtspServer } from '#simulators/cameras/mod.ts';
import { type Finish, HEIGHT_PX, PASSWORD, USERNAME, WIDTH_PX } from './painted.ts';

export type Coded = Omit<AccessUnit, 'capturedMs'>;
type Codec = 'h264' | 'h265';

const FPS = 10;
const GREY = '0xc8c8c8';
const ENCODERS: Readonly<Record<Codec, (keyEvery: number) => readonly string[]>> = {
  h264: (keyEvery) => ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', String(keyEvery), '-f', 'h264'],
  h265: (keyEvery) => [
    ...['-c:v', 'libx265', '-preset', 'ultrafast', '-f', 'hevc'],
    ...['-x265-params', `log-level=none:bframes=0:keyint=${keyEvery}:repeat-headers=1`],
  ],
};

interface Drawn {
  widthPx: number;
  heightPx: number;
  pictures: number;
  /** A key picture is the first of so many. */
  keyEvery: number;
  drawn: boolean;
}

/** Pictures that begin with a key one, ten a second: grey, or what has edges to be known by; a little noise over them. */
export function codedLoop(
  codec: Codec,
  { widthPx = WIDTH_PX, heightPx = HEIGHT_PX, pictures = FPS, keyEvery = FPS, drawn = false }: Partial<Drawn> = {},
): Coded[] {
  const what = drawn ? 'testsrc2=' : `color=c=${GREY}:`;
  const source = `${what}s=${widthPx}x${heightPx}:r=${FPS},noise=alls=10:allf=t,format=yuv420p`;
  const input = ['-v', 'error', '-f', 'lavfi', '-i', source, '-frames:v', String(pictures)];
  return picturesOf(execFileSync('ffmpeg', [...input, ...ENCODERS[codec](keyEvery), 'pipe:1']), codec);
}

/** A grey camera that codes in H.265. */
export async function h265Camera(onTestFinished: Finish): Promise<{ url: string }> {
  const { urls } = await codedCameras(onTestFinished, [codedLoop('h265')]);
  return { url: urls[0] as string };
}

export interface CodedCameras {
  urls: string[];
  /** What a camera sends from now on. */
  play(n: number, loop: readonly Coded[]): void;
  setFault(n: number, fault: RtspFault | null): void;
}

/** Cameras that send what was coded before, over and over, as their own encoder would. */
export async function codedCameras(onTestFinished: Finish, loops: readonly (readonly Coded[])[]): Promise<CodedCameras> {
  const server = new RtspServer({ config: { port: 0 }, log: silentLog, clock: systemClock });
  await server.start();
  const paths = loops.map((_, n) => `/coded-${n}`);
  const playing = [...loops];
  const mounts = paths.map((path) => server.mount(path, { credentials: { username: USERNAME, password: PASSWORD }, fps: FPS }));
  let tick = 0;
  const timer = setInterval(() => {
    for (const [n, mount] of mounts.entries()) {
      const loop = playing[n] as readonly Coded[];
      mount.push({ ...(loop[tick % loop.length] as Coded), capturedMs: systemClock.monotonic() });
    }
    tick++;
  }, 1000 / FPS);
  onTestFinished(async () => {
    clearInterval(timer);
    await server.stop();
  });
  return {
    urls: paths.map((path) => server.url(path)),
    play: (n, loop) => {
      playing[n] = loop;
    },
    setFault: (n, fault) => server.setFault(paths[n] as string, fault),
  };
}

/** ITU-T H.264, 7.3.1 and 7.3.3; H.265, 7.3.1.2 and 7.3.6: type, whether it is of a picture, a key one, the first of its picture. */
function read(nal: Buffer, codec: Codec): { picture: boolean; key: boolean; first: boolean } {
  if (codec === 'h265') {
    const type = ((nal[0] ?? 0) >> 1) & 0x3f;
    return { picture: type < 32, key: type >= 16 && type <= 21, first: ((nal[2] ?? 0) & 0x80) !== 0 };
  }
  const type = (nal[0] ?? 0) & 0x1f;
  return { picture: type >= 1 && type <= 5, key: type === 5, first: ((nal[1] ?? 0) & 0x80) !== 0 };
}

/** Access units of an elementary stream (annex B of both standards). */
function picturesOf(stream: Buffer, codec: Codec): Coded[] {
  const starts: number[] = [];
  for (let at = stream.indexOf('000001', 0, 'hex'); at >= 0; at = stream.indexOf('000001', at + 3, 'hex')) starts.push(at + 3);
  const nals = starts.map((from, i) => {
    const to = (starts[i + 1] ?? stream.length + 3) - 3;
    // The start code of the next may have a fourth byte.
    return stream.subarray(from, to > from && stream[to - 1] === 0 ? to - 1 : to);
  });
  const pictures: { codec: Codec; nals: Buffer[]; key: boolean }[] = [];
  let waiting: Buffer[] = [];
  for (const nal of nals) {
    const { picture, key, first } = read(nal, codec);
    waiting.push(nal);
    if (!picture) continue;
    if (first) pictures.push({ codec, nals: waiting, key });
    else pictures.at(-1)?.nals.push(...waiting);
    waiting = [];
  }
  return pictures;
}
