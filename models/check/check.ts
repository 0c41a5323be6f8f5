import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { modelFormat, type OutputTensor } from '../formats/mod.ts';
import { InputWriter, inputDims } from '../input.ts';
import { MODEL_BYTES_MAX, ModelError, type ModelManifest } from '../manifest.ts';
import { readOnnx } from './onnx.ts';
import { classNames, type Port, recogniseInput, recogniseOutputs } from './recognise.ts';

const WARM_UP_RUNS = 3;
const RUNS = 20;
const GREY = 114;
/** Draft only: a threshold is found by evaluation. */
const THRESHOLD_DRAFT = 0.5;

/** What a file turned out to be. */
export interface ModelReport {
  inputs: readonly Port[];
  outputs: readonly Port[];
  draft: ModelManifest;
  /** Of a picture on one thread. */
  medianMs: number;
  slowestMs: number;
  /** What a person should look at before the draft is used. */
  doubts: readonly string[];
}

/** Opens, recognises, runs and times an ONNX file. Throws ModelError (GEWU_MODEL_INVALID). */
export async function checkModel(file: string): Promise<ModelReport> {
  const bytes = await readModel(file);
  const session = await open(file, bytes);
  try {
    const { metadata, parameters } = readOnnx(bytes);
    const inputs = session.inputMetadata.map(portOf);
    const size =
      /\[\s*(\d+)\s*,\s*(\d+)\s*\]/
        .exec(metadata.imgsz ?? '')
        ?.slice(1)
        .map(Number) ?? null;
    const input = recogniseInput(inputs, size);
    const { outputs, raw, times } = await run(session, input);
    const family = recogniseOutputs(outputs, `${metadata.description ?? ''} ${basename(file)}`);
    const noted = classNames(metadata.names);
    const { classes, doubts } = named(noted, family.classCount);
    const draft: ModelManifest = {
      name: nameOf(file),
      version: '0.0.0',
      family: family.family,
      file: basename(file)
        .replace(/[^A-Za-z0-9._-]/g, '_')
        .slice(-64),
      sha256: createHash('sha256').update(bytes).digest('hex'),
      licence: metadata.license?.slice(0, 200) || 'unknown: to be filled in',
      provenance: 'unknown',
      input: family.stretched ? { ...input, letterbox: null } : input,
      outputs: family.outputs,
      classes,
      thresholds: Object.fromEntries(classes.map((name) => [name, THRESHOLD_DRAFT])),
      metrics: {},
      trainedOn: {},
      parameters,
      notice: {
        en: 'Nobody has measured yet what this model sees. It opens no case on a real camera.',
        'zh-CN': '该模型尚未经过评测，不得用于真实摄像机的立案。',
      },
    };
    modelFormat(draft.family)?.decode(raw, draft, { weakFactor: 1 });
    if (input.dtype === 'float32') doubts.push('normalisation is taken to be bytes divided by 255, in RGB');
    if (family.doubt !== null) doubts.push(family.doubt);
    return { inputs, outputs, draft, medianMs: times[RUNS >> 1] as number, slowestMs: times.at(-1) as number, doubts };
  } catch (error) {
    if (error instanceof ModelError || error instanceof RangeError)
      throw new ModelError(`${file}: ${error.message}`, { cause: error });
    throw error;
  } finally {
    await session.release();
  }
}

async function readModel(file: string): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > MODEL_BYTES_MAX) throw new Error(`${size} B is more than ${MODEL_BYTES_MAX}`);
    return await readFile(file);
  } catch (error) {
    throw new ModelError(`${file}: ${(error as Error).message}`, { cause: error });
  }
}

async function open(file: string, bytes: Uint8Array): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 });
  } catch (error) {
    throw new ModelError(`${file}: the runtime cannot open it: ${(error as Error).message}`, { cause: error });
  }
}

function portOf(metadata: InferenceSession['inputMetadata'][number]): Port {
  const { name } = metadata;
  return metadata.isTensor ? { name, type: metadata.type, shape: metadata.shape } : { name, type: 'no tensor', shape: [] };
}

/** Times in ms, shortest first; outputs of a grey picture with the shapes that they have. */
async function run(session: InferenceSession, input: ModelManifest['input']) {
  const grey = new InputWriter(input).write(new Uint8Array(input.width * input.height * 3).fill(GREY));
  const feeds = { [input.name]: new Tensor(input.dtype, grey, inputDims(input)) };
  const times: number[] = [];
  let results: InferenceSession.ReturnType = {};
  for (let i = 0; i < WARM_UP_RUNS + RUNS; i++) {
    const beganAt = performance.now();
    results = await session.run(feeds).catch((error: Error) => {
      throw new ModelError(`it does not run on ${input.width} x ${input.height}: ${error.message}`, { cause: error });
    });
    if (i >= WARM_UP_RUNS) times.push(performance.now() - beganAt);
  }
  const wrong = Object.entries(results).find(([, value]) => value.type !== 'float32');
  if (wrong) throw new ModelError(`output ${wrong[0]} is ${wrong[1].type}; float32 is wanted`);
  const outputs = Object.entries(results).map(([name, { type, dims }]): Port => ({ name, type, shape: dims }));
  const raw: Record<string, OutputTensor> = Object.fromEntries(
    Object.entries(results).map(([name, { data, dims }]) => [name, { data: data as Float32Array, dims }]),
  );
  return { outputs, raw, times: times.toSorted((a, b) => a - b) };
}

function named(noted: string[] | null, count: number | null): { classes: string[]; doubts: string[] } {
  if (noted !== null && (count === null || noted.length === count)) return { classes: noted, doubts: [] };
  const wanted = count ?? noted?.length ?? 1;
  const doubt = noted === null ? 'the file names no classes' : `the file names ${noted.length} classes and scores ${count}`;
  return { classes: Array.from({ length: wanted }, (_, i) => `class_${i}`), doubts: [`${doubt}: put in their names`] };
}

function nameOf(file: string): string {
  const name = basename(file, '.onnx').toLowerCase();
  return (
    name
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 48) || 'model'
  );
}
