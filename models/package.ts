import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModelPackageHeader, modelSignedText, readModelHeader } from '#grid/wire/mod.ts';
import { type LoadedModel, loadManifest, ModelError, modelOf } from './manifest.ts';

/** A signature over a text, and the id of the key that made it. */
export interface TextSignature {
  key: string;
  signature: string;
}

/** Makes one signed file of a model folder. Throws ModelError (GEWU_MODEL_INVALID). */
export async function packModel(dir: string, sign: (text: string) => TextSignature): Promise<Buffer> {
  const { manifest, bytes } = await loadManifest(dir);
  const text = await readFile(join(dir, 'manifest.json'), 'utf8');
  const { name, version, classes, provenance } = manifest;
  const header: ModelPackageHeader = {
    gewuModel: 1,
    ...{ name, version, classes, provenance },
    manifestBytes: Buffer.byteLength(text),
    modelBytes: bytes.length,
    ...sign(modelSignedText(text)),
  };
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), Buffer.from(text), bytes]);
}

export interface UnpackedModel {
  model: LoadedModel;
  manifestText: string;
  signature: TextSignature;
  /** What the signature has to be over. */
  signedText: string;
}

/** Takes a package apart and checks all of it but the signature. Throws ModelError (GEWU_MODEL_INVALID). */
export function unpackModel(bytes: Buffer, name: string): UnpackedModel {
  const read = readModelHeader(bytes);
  if (!read.ok) throw new ModelError(`${name} is no model package: ${read.fault}`);
  const { header, manifestAt } = read;
  const modelAt = manifestAt + header.manifestBytes;
  if (bytes.length !== modelAt + header.modelBytes)
    throw new ModelError(`${name}: ${bytes.length} B; its header says ${modelAt + header.modelBytes}`);
  const manifestText = bytes.toString('utf8', manifestAt, modelAt);
  const model = modelOf(Buffer.from(manifestText), bytes.subarray(modelAt), name);
  const { key, signature } = header;
  return { model, manifestText, signature: { key, signature }, signedText: modelSignedText(manifestText) };
}
