import { access, readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseDocument } from 'yaml';
import type { LabelledBox, LabelledPicture } from '../eval/mod.ts';
import { ModelError } from '../manifest.ts';
import { boxFault, clipped, type ImportedDataset, plainName, SPLITS, type Split } from './dataset.ts';
import { elementLines } from './lines.ts';

interface CocoImage {
  id: number;
  file_name: string;
  width: number;
  height: number;
}

interface CocoAnnotation {
  image_id: number;
  category_id: number;
  bbox: [number, number, number, number];
  iscrowd?: number;
}

interface CocoFile {
  images: CocoImage[];
  annotations: CocoAnnotation[];
  categories: { id: number; name: string }[];
}

export async function isCoco(dir: string): Promise<boolean> {
  return (await filesIn(dir)).length > 0;
}

/**
 * A dataset as COCO lays it out: `annotations/*.json`, whose names say the split (train, val, test), with `images`, `annotations`
 * (`bbox`: left, top, width, height in pixels) and `categories`; pictures in a folder of the split's name, in `images`, or beside. What
 * is marked `iscrowd` counts neither for nor against.
 */
export async function readCoco(dir: string): Promise<ImportedDataset> {
  const faults: string[] = [];
  const splits: Record<Split, LabelledPicture[]> = { train: [], val: [], test: [] };
  let classes: string[] = [];
  for (const file of await filesIn(dir)) {
    const text = await readFile(file, 'utf8');
    const coco = parsed(text, file);
    const names = coco.categories.map(({ name }) => plainName(name));
    if (classes.length > 0 && names.join() !== classes.join())
      throw new ModelError(`${relative(dir, file)}: its categories are not those of the other files`);
    if (names.includes('') || new Set(names).size < names.length)
      throw new ModelError(`${relative(dir, file)}: categories need names of their own: ${names.join(', ')}`);
    classes = names;
    splits[splitOf(file)].push(...(await picturesOf(coco, { text, file, dir, names, faults })));
  }
  return { layout: 'coco', classes, splits, faults };
}

interface Reading {
  text: string;
  file: string;
  dir: string;
  names: readonly string[];
  faults: string[];
}

async function picturesOf(coco: CocoFile, { text, file, dir, names, faults }: Reading): Promise<LabelledPicture[]> {
  const lines = { images: elementLines(text, 'images'), annotations: elementLines(text, 'annotations') };
  const wrong = (list: keyof typeof lines, n: number, what: string) =>
    faults.push(`${relative(dir, file)}:${lines[list][n] ?? 1}: ${list}[${n}]: ${what}`);
  const nameOf = new Map(coco.categories.map(({ id }, n) => [id, names[n] as string]));
  const pictures = new Map<number, { image: CocoImage; file: string; boxes: LabelledBox[] }>();
  for (const [n, image] of coco.images.entries()) {
    const found = await findPicture(dir, file, image.file_name);
    if (found === null) wrong('images', n, `${image.file_name}: there is no such picture`);
    else if (!(image.width > 0 && image.height > 0)) wrong('images', n, 'width and height are wanted');
    else pictures.set(image.id, { image, file: found, boxes: [] });
  }
  for (const [n, { image_id, category_id, bbox, iscrowd }] of coco.annotations.entries()) {
    const picture = pictures.get(image_id);
    const name = nameOf.get(category_id);
    if (picture === undefined) {
      // Of a picture that is missing it is enough to say so once.
      if (!coco.images.some((i) => i.id === image_id)) wrong('annotations', n, `there is no image ${image_id}`);
      continue;
    }
    if (name === undefined) {
      wrong('annotations', n, `there is no category ${category_id}`);
      continue;
    }
    const size = { widthPx: picture.image.width, heightPx: picture.image.height };
    const [x, y, w, h] = Array.isArray(bbox) ? bbox : [Number.NaN, 0, 0, 0];
    const box = [x, y, x + w, y + h] as [number, number, number, number];
    const fault = boxFault(box, size);
    if (fault !== null) wrong('annotations', n, fault);
    else picture.boxes.push({ class: name, box: clipped(box, size), ...(iscrowd === 1 ? { visible: 0 } : {}) });
  }
  return [...pictures.values()].map(({ file: at, boxes }) => ({ file: at, boxes }));
}

async function filesIn(dir: string): Promise<string[]> {
  for (const folder of [join(dir, 'annotations'), dir]) {
    const names = (await readdir(folder).catch(() => [] as string[])).filter((name) => name.endsWith('.json')).sort();
    if (names.length > 0) return names.map((name) => join(folder, name));
  }
  return [];
}

function splitOf(file: string): Split {
  const name = (file.split('/').at(-1) ?? '').toLowerCase();
  return SPLITS.find((split) => name.includes(split)) ?? 'train';
}

function parsed(text: string, file: string): CocoFile {
  let coco: Partial<CocoFile>;
  try {
    coco = JSON.parse(text);
  } catch (error) {
    // JSON is YAML, and this parser knows the line.
    const line = parseDocument(text).errors[0]?.linePos?.[0].line ?? 1;
    throw new ModelError(`${file}:${line}: ${(error as Error).message}`, { cause: error });
  }
  for (const key of ['images', 'annotations', 'categories'] as const)
    if (!Array.isArray(coco[key])) throw new ModelError(`${file}: "${key}" has to be a list`);
  return coco as CocoFile;
}

async function findPicture(dir: string, annotations: string, name: string): Promise<string | null> {
  const split = (annotations.split('/').at(-1) ?? '').replace(/^instances_/, '').replace(/\.json$/, '');
  const folders = [split, join('images', split), 'images', splitOf(annotations), join('images', splitOf(annotations)), ''];
  for (const folder of folders) {
    const file = join(dir, folder, name);
    const there = await access(file).then(
      () => true,
      () => false,
    );
    if (there) return file;
  }
  return null;
}
