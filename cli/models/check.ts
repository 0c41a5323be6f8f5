import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkModel, type ModelReport, shown } from '#models/mod.ts';
import { GewuError } from '#service/mod.ts';
import { parseFlags, print, say } from '../command.ts';

export const CHECK_USAGE = `gewu models check FILE [--out DIR] [--json]
  FILE is an ONNX file. Its family is recognised by its shapes (YOLOv5, YOLOv8 and 11, YOLOv10 and 26, RT-DETR, our own), it is run
  and timed on one thread. --out makes DIR a model folder: the file and a manifest.json to go over. A draft's provenance is unknown:
  such a model opens no case on a real camera.`;

export async function check(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseFlags(args, { out: { type: 'string' }, json: { type: 'boolean' } }, 1);
  const [file] = positionals;
  if (file === undefined) throw new GewuError('GEWU_USAGE', 'gewu models check FILE');
  const report = await checkModel(file);
  if (values.out !== undefined) await writeFolder(values.out, file, report);
  print(values.json ? JSON.stringify(figures(report)) : inWords(report));
  for (const doubt of report.doubts) say(`look at it: ${doubt}`);
  return 0;
}

/** Throws GEWU_USAGE when there is something already. */
async function writeFolder(dir: string, file: string, { draft }: ModelReport): Promise<void> {
  await mkdir(dir, { recursive: true });
  try {
    await writeFile(join(dir, 'manifest.json'), `${JSON.stringify(draft, null, 2)}\n`, { flag: 'wx' });
  } catch (error) {
    throw new GewuError('GEWU_USAGE', `${dir}: ${(error as Error).message}`, { cause: error });
  }
  await copyFile(file, join(dir, draft.file));
}

const figures = ({ draft, medianMs, slowestMs, inputs, outputs, doubts }: ModelReport) => {
  const ms = { medianMs: Number(medianMs.toFixed(2)), slowestMs: Number(slowestMs.toFixed(2)) };
  return { family: draft.family, classes: draft.classes, ...ms, inputs, outputs, doubts, manifest: draft };
};

function inWords({ draft, inputs, outputs, medianMs, slowestMs }: ModelReport): string {
  const { input, classes } = draft;
  const fit = input.letterbox === null ? 'stretched' : 'with bars';
  return [
    `family      ${draft.family}`,
    `inputs      ${inputs.map(shown).join(', ')}`,
    `outputs     ${outputs.map(shown).join(', ')}`,
    `picture     ${input.width} x ${input.height}, ${fit}, ${input.dtype} ${input.layout} ${input.color}`,
    `classes     ${classes.length}: ${classes.slice(0, 12).join(', ')}${classes.length > 12 ? ', ...' : ''}`,
    `parameters  ${draft.parameters}`,
    `a picture   ${medianMs.toFixed(1)} ms (median), ${slowestMs.toFixed(1)} ms at most, on one thread`,
  ].join('\n');
}
