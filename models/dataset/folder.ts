import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PictureBox } from '#grid/mod.ts';
import { labelsOf, learnable } from './picture.ts';

const SPLITS = ['train', 'val', 'test'] as const;
const FILE = 'dataset.json';

/** One picture of a version, as the centre tells it. */
export interface VersionItem {
  event: string;
  detects: string;
  label: 'thing' | 'nothing';
  split: (typeof SPLITS)[number];
  shows: PictureBox;
}

/** Where the pictures of a folder come from; `dataset.json` in it. */
export interface Origin {
  /** Id of the version. */
  dataset: string;
  name: string;
  scenes: string;
  /** Pictures that are originals, and all of them. */
  originals: number;
  pictures: number;
}

export interface Fetched {
  jpeg: Buffer;
  kind: 'masked' | 'original';
}

/**
 * Writes a version as a folder that `gewu models import` reads:
 *
 *   dataset.json                    which version, how many pictures are originals
 *   train|val|test/classes.json     names, those of `classes` first
 *   train|val|test/truth.jsonl      a picture a line
 *   train|val|test/images/*.jpg
 */
export async function writeVersion(
  out: string,
  {
    version,
    classes,
    items,
  }: { version: Pick<Origin, 'dataset' | 'name' | 'scenes'>; classes: readonly string[]; items: readonly VersionItem[] },
  fetchOne: (item: VersionItem) => Promise<Fetched>,
): Promise<Origin> {
  const names = [...new Set([...classes, ...items.map((i) => i.detects)])];
  let originals = 0;
  for (const split of SPLITS) {
    const dir = join(out, split);
    await mkdir(join(dir, 'images'), { recursive: true });
    const lines: string[] = [];
    for (const item of items.filter((i) => i.split === split)) {
      const { jpeg, kind } = await fetchOne(item);
      if (kind === 'original') originals++;
      const file = `images/${item.event}.jpg`;
      await writeFile(join(dir, file), await learnable(jpeg, item.shows, kind));
      lines.push(`${JSON.stringify({ file, boxes: labelsOf(item.shows, item.detects, item.label) })}\n`);
    }
    await writeFile(join(dir, 'classes.json'), `${JSON.stringify(names)}\n`);
    await writeFile(join(dir, 'truth.jsonl'), lines.join(''));
  }
  const origin: Origin = { ...version, originals, pictures: items.length };
  // Last: a folder without it is not complete.
  await writeFile(join(out, FILE), `${JSON.stringify(origin, null, 2)}\n`);
  return origin;
}

/** Null for a folder of another origin. */
export async function readOrigin(dir: string): Promise<Origin | null> {
  const text = await readFile(join(dir, FILE), 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as Origin);
}
