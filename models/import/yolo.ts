import { access, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { parse } from 'yaml';
import type { LabelledBox, LabelledPicture } from '../eval/mod.ts';
import { ModelError } from '../manifest.ts';
import { boxFault, clipped, type ImportedDataset, plainName, SPLITS, type Split } from './dataset.ts';
import { type PictureSize, sizeOf } from './picture.ts';

const PICTURES = /\.(jpe?g|png|webp|bmp)$/i;
const DESCRIPTIONS = ['data.yaml', 'data.yml', 'dataset.yaml'];

interface Description {
  /** Of data.yaml: what a split's places are relative to. */
  root: string;
  names: string[];
  places: Record<Split, string[]>;
}

export async function isYolo(dir: string): Promise<boolean> {
  return (await describedIn(dir)) !== null;
}

/**
 * A dataset as Ultralytics lays it out: data.yaml (`path`, `train`, `val`, `test`, `names`), pictures below `images`, and for each
 * a text file of the same name below `labels`: class, centre and size in fractions of the picture, a thing a line. A polygon (of a
 * segmentation) counts as the box around it; a picture without a text file shows nothing.
 */
export async function readYolo(dir: string): Promise<ImportedDataset> {
  const file = await describedIn(dir);
  if (file === null) throw new ModelError(`${dir}: no data.yaml`);
  const { root, names, places } = describe(await readFile(file, 'utf8'), file);
  const faults: string[] = [];
  const splits: Record<Split, LabelledPicture[]> = { train: [], val: [], test: [] };
  for (const split of SPLITS)
    for (const place of places[split])
      for (const picture of await picturesIn(resolve(root, place), faults)) {
        const labelled = await labelledPicture(picture, names, dir, faults);
        if (labelled !== null) splits[split].push(labelled);
      }
  return { layout: 'yolo', classes: names, splits, faults };
}

async function describedIn(dir: string): Promise<string | null> {
  for (const name of DESCRIPTIONS) {
    const file = join(dir, name);
    if (await exists(file)) return file;
  }
  return null;
}

function describe(text: string, file: string): Description {
  let yaml: Record<string, unknown>;
  try {
    yaml = parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new ModelError(`${file}: ${(error as Error).message}`, { cause: error });
  }
  const { names, path } = yaml ?? {};
  const list = Array.isArray(names) ? names : Object.values((names ?? {}) as Record<string, unknown>);
  const plain = list.map((name) => plainName(String(name)));
  if (plain.length === 0 || plain.includes('')) throw new ModelError(`${file}: "names" has to name every class`);
  if (new Set(plain).size < plain.length) throw new ModelError(`${file}: "names" holds a name twice: ${plain.join(', ')}`);
  const placesOf = (value: unknown): string[] => (value === undefined || value === null ? [] : [value].flat().map(String));
  const places = { train: placesOf(yaml.train), val: placesOf(yaml.val ?? yaml.valid), test: placesOf(yaml.test) };
  if (places.train.length === 0) throw new ModelError(`${file}: "train" has to say where the pictures are`);
  // Many a data.yaml carries the path of the machine that it was made on.
  const root = typeof path === 'string' && !isAbsolute(path) ? resolve(dirname(file), path) : dirname(file);
  return { root, names: plain, places };
}

/** Pictures of a folder and the folders in it, or of a list in a text file. */
async function picturesIn(place: string, faults: string[]): Promise<string[]> {
  const kind = await stat(place).catch(() => null);
  if (kind === null) {
    faults.push(`${place}: there is no such folder`);
    return [];
  }
  if (kind.isFile()) {
    const lines = (await readFile(place, 'utf8')).split('\n').map((line) => line.trim());
    return lines.filter((line) => line !== '').map((line) => resolve(dirname(place), line));
  }
  const found = await readdir(place, { recursive: true });
  return found
    .filter((name) => PICTURES.test(name))
    .sort()
    .map((name) => join(place, name));
}

async function labelledPicture(
  picture: string,
  names: readonly string[],
  dir: string,
  faults: string[],
): Promise<LabelledPicture | null> {
  const size = await sizeOf(picture).catch((error: Error) => {
    faults.push(`${relative(dir, picture)}: no picture: ${error.message}`);
    return null;
  });
  if (size === null) return null;
  const labels = labelsOf(picture);
  const text = await readFile(labels, 'utf8').catch(() => '');
  const boxes: LabelledBox[] = [];
  for (const [n, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const box = boxOf(line, names, size);
    if (typeof box === 'string') faults.push(`${relative(dir, labels)}:${n + 1}: ${box}`);
    else boxes.push(box);
  }
  return { file: picture, boxes };
}

/** The last folder named `images` becomes `labels`. */
function labelsOf(picture: string): string {
  const parts = picture.split(sep);
  const at = parts.lastIndexOf('images');
  if (at >= 0) parts[at] = 'labels';
  const moved = parts.join(sep);
  return `${moved.slice(0, moved.length - extname(moved).length)}.txt`;
}

function boxOf(line: string, names: readonly string[], size: PictureSize): LabelledBox | string {
  const [kind, ...numbers] = line.trim().split(/\s+/).map(Number) as [number, ...number[]];
  const name = names[kind];
  if (name === undefined) return `class ${line.trim().split(/\s+/)[0]}: there are ${names.length}, from 0 on`;
  if (!numbers.every(Number.isFinite)) return 'all but numbers are out of place';
  const polygon = numbers.length >= 6 && numbers.length % 2 === 0;
  if (numbers.length !== 4 && !polygon) return `class and four numbers are wanted, or a polygon: there are ${numbers.length + 1}`;
  const [xs, ys] = [numbers.filter((_, i) => i % 2 === 0), numbers.filter((_, i) => i % 2 === 1)];
  const [x, y, w, h] = numbers as [number, number, number, number];
  const edges = polygon
    ? ([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] as const)
    : ([x - w / 2, y - h / 2, x + w / 2, y + h / 2] as const);
  const sides = [size.widthPx, size.heightPx, size.widthPx, size.heightPx];
  const box = edges.map((edge, i) => edge * (sides[i] as number)) as [number, number, number, number];
  const fault = boxFault(box, size);
  return fault ?? { class: name, box: clipped(box, size) };
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
