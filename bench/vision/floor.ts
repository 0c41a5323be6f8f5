import { spawn } from 'node:child_process';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { ffmpegArguments, rtspScript } from '#edge/cameras/arguments.ts';
import { InputWriter, inputDims, loadManifest } from '#models/mod.ts';
import { SHIPPED_MODEL } from './model.ts';
import { PASSWORD, pathOf, USERNAME, type VisionLoad } from './site.ts';

/**
 * What nobody can do without: the same streams decoded by the same ffmpeg into nothing, and the same model run as often
 * as pictures are wanted. No picture is scaled, moved or kept.
 */
const { port, cameras, fps } = JSON.parse(process.argv[2] ?? '') as VisionLoad;
const { manifest, bytes } = await loadManifest(SHIPPED_MODEL);
const session = await InferenceSession.create(new Uint8Array(bytes), {
  executionProviders: ['cpu'],
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 3,
});
const pixels = new Uint8Array(manifest.input.width * manifest.input.height * 3).fill(114);
const input = new InputWriter(manifest.input).write(pixels);
const run = () => session.run({ [manifest.input.name]: new Tensor(manifest.input.dtype, input, inputDims(manifest.input)) });
await run();

const format = { input: manifest.input, fullWidthMax: 1280 };
const list = ffmpegArguments('rtsp', { fps, keyFramesOnly: false, media: false }, format);
const decoded = [...list.slice(0, list.indexOf('-filter_complex_threads')), '-map', '0:v:0', '-f', 'null', '-'];
const children = Array.from({ length: cameras }, (_, n) => {
  const child = spawn('ffmpeg', decoded, { stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin.end(rtspScript(`rtsp://${USERNAME}:${PASSWORD}@127.0.0.1:${port}${pathOf(n)}`, 'tcp'));
  return child;
});

let [runs, busy] = [0, Promise.resolve() as Promise<unknown>];
setInterval(
  () => {
    busy = busy.then(run).then(() => runs++);
  },
  1000 / (cameras * fps),
);
process.on('message', () => process.send?.({ runs }));
process.send?.('ready');
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
process.once('disconnect', () => process.exit(0));
process.once('SIGTERM', () => process.exit(0));
