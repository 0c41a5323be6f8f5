import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { type Detection, InputWriter, inputDims, type ModelManifest, modelFormat } from '#models/mod.ts';

/**
 * One inference thread: takes a frame, gives the detections in input pixels and the frame's buffer back.
 * One intra-op thread: two such workers scale perfectly, a session of two threads costs 1.4 times the CPU per frame.
 */
export interface WorkerInput {
  manifest: ModelManifest;
  /** The model's bytes in shared memory: read once, hashed, opened by every worker. */
  model: SharedArrayBuffer;
  weakFactor: number;
}
export interface InferenceResult {
  detections: Detection[];
  /** From its beginning to its end, on a machine that may have other work. */
  inferenceMs: number;
  /** That the thread has worked for it. */
  cpuMs: number;
}
export type WorkerRequest =
  | {
      kind: 'infer';
      id: number;
      /** Input pixels, row by row; transferred, comes back with the answer. */
      frame: ArrayBuffer;
    }
  /** End when nothing runs any more. */
  | { kind: 'close' };
export type WorkerAnswer =
  | { kind: 'ready' }
  | { kind: 'done'; id: number; frame: ArrayBuffer; result: InferenceResult }
  | { kind: 'failed'; id: number; frame: ArrayBuffer; message: string };

const port = parentPort;
if (port === null) throw new Error('runs as a worker thread only');

const { manifest, model, weakFactor } = workerData as WorkerInput;
const format = modelFormat(manifest.family);
if (format === undefined) throw new Error(`no decoder for model family ${manifest.family}`);

// A copy: the runtime's typing and its native side want unshared memory.
const session = await InferenceSession.create(new Uint8Array(model).slice(), {
  executionProviders: ['cpu'],
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 3,
});
const dims = inputDims(manifest.input);
const writer = new InputWriter(manifest.input);

async function infer(frame: ArrayBuffer): Promise<Detection[]> {
  const outputs = await session.run({
    [manifest.input.name]: new Tensor(manifest.input.dtype, writer.write(new Uint8Array(frame)), dims),
  });
  const tensors = Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => [name, { data: value.data as Float32Array, dims: value.dims }]),
  );
  return format?.decode(tensors, manifest, { weakFactor }) ?? [];
}

// The first run allocates: done before anybody waits, and the proof that the file fits its manifest.
await infer(new ArrayBuffer(manifest.input.width * manifest.input.height * 3));
let running = 0;
let closing = false;
port.on('message', (request: WorkerRequest) => {
  if (request.kind === 'close') {
    closing = true;
    void closeWhenIdle();
    return;
  }
  const { id, frame } = request;
  const [began, beganCpuMs] = [performance.now(), threadCpuMs()];
  running++;
  infer(frame)
    .then(
      (detections) => {
        const result = { detections, inferenceMs: performance.now() - began, cpuMs: threadCpuMs() - beganCpuMs };
        const answer: WorkerAnswer = { kind: 'done', id, frame, result };
        port.postMessage(answer, [frame]);
      },
      (error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        port.postMessage({ kind: 'failed', id, frame, message } satisfies WorkerAnswer, [frame]);
      },
    )
    .finally(() => {
      running--;
      void closeWhenIdle();
    });
});

/** The runtime works in the thread that asks it: what this one has used. */
function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Never in the middle of a run: the runtime takes the whole process down when its thread is terminated there. */
async function closeWhenIdle(): Promise<void> {
  if (!closing || running > 0) return;
  await session.release();
  port?.close();
}

port.postMessage({ kind: 'ready' } satisfies WorkerAnswer);
