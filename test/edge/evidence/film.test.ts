import { execFileSync } from 'node:child_process';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { film } from '#edge/evidence/mod.ts';
import { tempDir } from '#test/support/temp.ts';

const [WIDTH, HEIGHT] = [640, 360];

/** Fine vertical stripes, moving: whatever is pixelated loses them. */
function stripes(seconds: number): Buffer {
  const picture = `nullsrc=s=${WIDTH}x${HEIGHT}:r=25:d=${seconds},geq=lum='if(mod(floor((X+N)/4),2),235,16)':cb=128:cr=128`;
  const encode = ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '16', '-pix_fmt', 'yuv420p', '-g', '25'];
  const fragments = [
    '-movflags',
    'frag_keyframe+empty_moov+default_base_moof',
    '-frag_duration',
    '250000',
    '-f',
    'mp4',
    'pipe:1',
  ];
  return execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', picture, ...encode, ...fragments], { maxBuffer: 1e9 });
}

/** How much a region differs within itself in one picture of the film, as grey levels. */
function contrast(file: string, picture: number, [x, y, width, height]: [number, number, number, number]): number {
  const filter = `select=eq(n\\,${picture}),crop=${width}:${height}:${x}:${y},format=gray`;
  const grey = execFileSync('ffmpeg', ['-v', 'error', '-i', file, '-vf', filter, '-frames:v', '1', '-f', 'rawvideo', 'pipe:1']);
  return Math.max(...grey) - Math.min(...grey);
}

test('every picture of a clip shows the event, no person and nothing around it; in doubt nothing at all', async () => {
  const file = join(await tempDir(), 'clip.mp4');
  await film({
    stream: stripes(4),
    widthPx: WIDTH,
    heightPx: HEIGHT,
    fps: 25,
    fromS: 0.5,
    lengthS: 3,
    // The person moves to the right; in the last second nothing is known.
    showing: (s) => (s < 2 ? { keep: [0.25, 0.25, 0.75, 0.75], people: [[0.3 + s / 10, 0.3, 0.4 + s / 10, 0.6]] } : null),
    lines: (s) => ['Illegal stall', `second ${s}`],
    file,
  });
  expect((await stat(file)).size).toBeGreaterThan(0);
  for (const picture of [0, 9, 19]) {
    const left = Math.round((0.3 + picture / 100) * WIDTH);
    expect([picture, contrast(file, picture, [left + 6, 115, 50, 90]) < 60]).toEqual([picture, true]);
    expect([picture, contrast(file, picture, [10, 10, 100, 60]) < 60]).toEqual([picture, true]);
    expect([picture, contrast(file, picture, [400, 150, 60, 60]) > 120]).toEqual([picture, true]);
  }
  for (const picture of [20, 29]) expect([picture, contrast(file, picture, [170, 100, 300, 160]) < 60]).toEqual([picture, true]);
  // The strip has text.
  expect(contrast(file, 5, [0, HEIGHT + 4, 200, 20])).toBeGreaterThan(100);
});

test('what cannot be decoded is no clip, and leaves no file', async () => {
  const file = join(await tempDir(), 'clip.mp4');
  const order = {
    widthPx: WIDTH,
    heightPx: HEIGHT,
    fps: 25,
    fromS: 0,
    lengthS: 2,
    showing: () => null,
    lines: () => ['x'],
    file,
  };
  await expect(film({ ...order, stream: Buffer.from('garbage') })).rejects.toThrow(/could not be made/);
  await expect(stat(file)).rejects.toThrow();
  const broken = film({
    ...order,
    stream: stripes(2),
    showing: () => {
      throw new Error('no mask');
    },
  });
  await expect(broken).rejects.toThrow(/no mask/);
});

test('an ffmpeg that is killed before it has read what it was given costs the clip, and nothing else', async () => {
  const dir = await tempDir();
  const [ffmpeg, file] = [join(dir, 'ffmpeg'), join(dir, 'clip.mp4')];
  await writeFile(ffmpeg, '#!/bin/sh\nsleep 0.3\nkill -9 $$\n', { mode: 0o700 });
  // So little that the pipes hold all of it, and we are through with them.
  const order = { widthPx: WIDTH, heightPx: HEIGHT, fps: 1, fromS: 0, lengthS: 1, showing: () => null, lines: () => ['x'] };
  await expect(film({ ...order, stream: Buffer.alloc(1_000), file, ffmpeg })).rejects.toThrow(/could not be made \(killed\)/);
});
