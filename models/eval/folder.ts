import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Box } from '../letterbox.ts';
import { ModelError } from '../manifest.ts';

/** A picture of a folder and what is on it. */
export interface LabelledPicture {
  /** Absolute. */
  file: string;
  boxes: readonly LabelledBox[];
  /** Only a simulator knows. */
  light?: PictureLight;
}

export interface LabelledBox {
  class: string;
  /** [left, top, right, bottom], pixels of the picture. */
  box: Box;
  /** Share of the thing that is seen, 0..1; labels of people do not say, and count as 1. */
  visible?: number;
  /** No thing but a part of the picture of which nobody has said what is there: claims within count neither for nor against. */
  unknown?: true;
}

/** As simulators write it: 0..1 each, `daylight` 0 at night. */
export interface PictureLight {
  daylight: number;
  rain: number;
  glare?: number;
  wind?: number;
}

/**
 * A folder that training and evaluation read:
 *
 *   classes.json   names, in the order of the model's score columns
 *   truth.jsonl    {"file", "boxes": [{"class", "box", "visible"}], "light"} a line; `file` relative to the folder
 */
export interface LabelledFolder {
  classes: readonly string[];
  pictures: readonly LabelledPicture[];
}

/** Throws ModelError naming file and line. */
export async function readFolder(dir: string): Promise<LabelledFolder> {
  const classes = await parsed(join(dir, 'classes.json'));
  if (!Array.isArray(classes) || !classes.every((name) => typeof name === 'string'))
    throw new ModelError(`${dir}/classes.json: a list of names is wanted`);
  const file = join(dir, 'truth.jsonl');
  const lines = (await text(file)).split('\n');
  const pictures = lines.flatMap((line, n) => (line.trim() === '' ? [] : [pictureOf(dir, line, `${file}:${n + 1}`, classes)]));
  if (pictures.length === 0) throw new ModelError(`${file}: no picture`);
  return { classes, pictures };
}

function pictureOf(dir: string, line: string, where: string, classes: readonly string[]): LabelledPicture {
  let entry: { file?: unknown; boxes?: unknown; light?: PictureLight };
  try {
    entry = JSON.parse(line);
  } catch (error) {
    throw new ModelError(`${where}: ${(error as Error).message}`, { cause: error });
  }
  const { file, boxes, light } = entry;
  if (typeof file !== 'string' || !Array.isArray(boxes)) throw new ModelError(`${where}: "file" and "boxes" are wanted`);
  for (const one of boxes as LabelledBox[]) {
    if (!classes.includes(one.class)) throw new ModelError(`${where}: class ${one.class} is not in classes.json`);
    const sides = one.box as unknown;
    if (!Array.isArray(sides) || sides.length !== 4 || !sides.every(Number.isFinite))
      throw new ModelError(`${where}: a box is four numbers`);
  }
  return { file: resolve(dir, file), boxes: boxes as LabelledBox[], ...(light === undefined ? {} : { light }) };
}

async function parsed(file: string): Promise<unknown> {
  try {
    return JSON.parse(await text(file));
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw new ModelError(`${file}: ${(error as Error).message}`, { cause: error });
  }
}

async function text(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new ModelError(`${file}: ${(error as Error).message}`, { cause: error });
  }
}
