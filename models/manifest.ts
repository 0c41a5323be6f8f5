import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';

/**
 * What a model folder says of itself: `models/<name>/manifest.json` next to the file.
 * `family` names the decoder in `models/formats`.
 */
const text = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const strict = { additionalProperties: false } as const;

/** Where a model got to know the world. Only one that has seen real scenes may open cases on real cameras. */
export const PROVENANCES = ['drawn-scenes', 'real-scenes', 'unknown'] as const;
const LAYOUTS = ['NHWC', 'NCHW'] as const;
const positive = Type.Number({ exclusiveMinimum: 0 });
const output = { name: text(64), dtype: Type.Literal('float32') };

export const ModelManifest = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9-]{1,48}$' }),
    version: Type.String({ pattern: '^[0-9A-Za-z.+-]{1,32}$' }),
    family: Type.String({ pattern: '^[a-z0-9-]{1,48}$' }),
    /** File name in the same folder. */
    file: Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' }),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    input: Type.Object(
      {
        name: text(64),
        width: Type.Integer({ minimum: 16, maximum: 4096 }),
        height: Type.Integer({ minimum: 16, maximum: 4096 }),
        layout: Type.Enum(LAYOUTS),
        dtype: Type.Enum(['uint8', 'float32']),
        color: Type.Enum(['RGB', 'BGR']),
        /** Grey level of the bars beside a picture of another shape; null where the picture is stretched instead. */
        letterbox: Type.Union([Type.Object({ pad: Type.Integer({ minimum: 0, maximum: 255 }) }, strict), Type.Null()]),
        /** Of float32: (byte * scale - mean) / std, by channel in the order of `color`. */
        normalisation: Type.Optional(
          Type.Object(
            {
              scale: Type.Number({ exclusiveMinimum: 0, maximum: 1 }),
              mean: Type.Tuple([Type.Number(), Type.Number(), Type.Number()]),
              std: Type.Tuple([positive, positive, positive]),
            },
            strict,
          ),
        ),
      },
      strict,
    ),
    /** By family: `boxes` and `scores` of gewu-uint8, `detections` of the others. */
    outputs: Type.Object(
      {
        boxes: Type.Optional(
          Type.Object({ ...output, format: Type.Literal('x1y1x2y2'), unit: Type.Literal('input pixels') }, strict),
        ),
        scores: Type.Optional(Type.Object({ ...output, range: Type.Tuple([Type.Literal(0), Type.Literal(1)]) }, strict)),
        detections: Type.Optional(Type.Object(output, strict)),
      },
      strict,
    ),
    /** In the order of the score columns. */
    classes: Type.Array(Type.String({ pattern: '^[a-z0-9_]{1,48}$' }), { minItems: 1, maxItems: 256, uniqueItems: true }),
    /** Score from which a detection counts, one per class. */
    thresholds: Type.Record(Type.String({ maxLength: 48 }), Type.Number({ minimum: 0, maximum: 1 })),
    /**
     * Score that a track must keep over the dwell time before a zone raises an event of the class; chosen on streets with nothing
     * to report. Where it is not given, the threshold stands in.
     */
    alarmThresholds: Type.Optional(Type.Record(Type.String({ maxLength: 48 }), Type.Number({ minimum: 0, maximum: 1 }))),
    provenance: Type.Enum(PROVENANCES),
    /** What it was trained on, in plain words; shown to people. */
    notice: Type.Object({ 'zh-CN': text(2000), en: text(2000) }, strict),
    trainedOn: Type.Unknown(),
    metrics: Type.Unknown(),
    /** What fine-tuning begins with, in the same folder; an edge does not read it. */
    weights: Type.Optional(
      Type.Object(
        { file: Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' }), sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) },
        strict,
      ),
    ),
    licence: text(200),
    /** Number of trained weights. */
    parameters: Type.Integer({ minimum: 0 }),
  },
  strict,
);
export type ModelManifest = Static<typeof ModelManifest>;
export type Provenance = ModelManifest['provenance'];

const check = Compile(ModelManifest);
export const MODEL_BYTES_MAX = 512 * 1024 * 1024;

/** The model folder cannot be used. Its code is that of the error catalogue. */
export class ModelError extends Error {
  readonly code = 'GEWU_MODEL_INVALID';
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ModelError';
  }
}

export interface LoadedModel {
  manifest: ModelManifest;
  /** Absolute or relative as `dir` was given. */
  file: string;
  /** The bytes that were hashed: open these, not the file again. */
  bytes: Uint8Array;
}

/** Reads and checks `dir/manifest.json` and the model's hash. Throws ModelError (GEWU_MODEL_INVALID). */
export async function loadManifest(dir: string): Promise<LoadedModel> {
  const manifest = parseManifest(await read(join(dir, 'manifest.json')), dir);
  const file = join(dir, basename(manifest.file));
  return checkedModel(manifest, file, await read(file));
}

/** The same of what has been read already; `where` is for people. Throws ModelError (GEWU_MODEL_INVALID). */
export function modelOf(manifest: Buffer, bytes: Uint8Array, where: string): LoadedModel {
  return checkedModel(parseManifest(manifest, where), where, bytes);
}

function checkedModel(manifest: ModelManifest, file: string, bytes: Uint8Array): LoadedModel {
  if (bytes.length > MODEL_BYTES_MAX) throw new ModelError(`${file}: ${bytes.length} B is more than ${MODEL_BYTES_MAX}`);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== manifest.sha256) throw new ModelError(`${file}: SHA-256 is ${sha256}, the manifest says ${manifest.sha256}`);
  return { manifest, file, bytes };
}

function parseManifest(bytes: Buffer, dir: string): ModelManifest {
  let input: unknown;
  try {
    input = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new ModelError(`${dir}/manifest.json: ${(error as Error).message}`, { cause: error });
  }
  if (!check.Check(input)) {
    const mistakes = [...check.Errors(input)].slice(0, 8).map((e) => `${e.instancePath || '/'} ${e.message}`);
    throw new ModelError(`${dir}/manifest.json: ${mistakes.join('; ')}`);
  }
  const missing = input.classes.filter((name) => input.thresholds[name] === undefined);
  if (missing.length > 0) throw new ModelError(`${dir}/manifest.json: no threshold for ${missing.join(', ')}`);
  return input;
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new ModelError(`${file}: ${(error as Error).message}`, { cause: error });
  }
}
