import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { DesiredAnswer, ModelPackageAnswer } from '#grid/api/mod.ts';
import { packModel, unpackModel } from '#models/mod.ts';
import { GewuError, newSigningKey, publicKeyOf, signText } from '#service/mod.ts';
import { API_FLAGS, apiOf } from '../api.ts';
import { parseFlags, print } from '../command.ts';

export const KEYGEN_USAGE = `gewu models keygen FILE
  A new release key in FILE (Ed25519, PEM, readable by its owner only). Prints its public half, for \`vision.trustedKeys\` of the edges.`;
export const SIGN_USAGE = `gewu models sign DIR --key FILE --out PACKAGE
  Makes one signed file of a model folder, and prints its SHA-256.`;
export const PUSH_USAGE = `gewu models push PACKAGE [--edges edge-01,edge-02 --reason TEXT [--silent-rules | --candidate [--cameras A,B]]]
  Stores a package at the centre, and sets it as the model of these edges. They check signature, classes and budget, and report:
  \`gewu edges show\`. --silent-rules: zones may have rules whose class it does not know. --candidate: it looks in shadow beside the model in
  use, on these cameras or on all, and opens no case. --url, --token-file as in \`gewu edges\`.`;

/** Throws GEWU_USAGE when there is something already. */
export async function keygen(args: readonly string[]): Promise<number> {
  const [file] = parseFlags(args, {}, 1).positionals;
  if (file === undefined) throw new GewuError('GEWU_USAGE', 'gewu models keygen FILE');
  const key = newSigningKey();
  await writeFile(file, key.export({ type: 'pkcs8', format: 'pem' }), { flag: 'wx', mode: 0o600 }).catch(unusable);
  print(publicKeyOf(key));
  return 0;
}

export async function sign(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseFlags(args, { key: { type: 'string' }, out: { type: 'string' } }, 1);
  const [dir] = positionals;
  const { key, out } = values;
  if (dir === undefined || key === undefined || out === undefined)
    throw new GewuError('GEWU_USAGE', 'gewu models sign DIR --key FILE --out PACKAGE');
  const privateKey = await readKey(key);
  const bytes = await packModel(dir, (text) => signText(text, privateKey));
  await writeFile(out, bytes).catch(unusable);
  print(sha256Of(bytes));
  return 0;
}

const PUSH_FLAGS = {
  ...API_FLAGS,
  edges: { type: 'string' },
  reason: { type: 'string' },
  'silent-rules': { type: 'boolean', default: false },
  candidate: { type: 'boolean', default: false },
  cameras: { type: 'string' },
} as const;

export async function push(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseFlags(args, PUSH_FLAGS, 1);
  const [file] = positionals;
  const { edges, reason } = values;
  if (file === undefined || (edges !== undefined && !reason))
    throw new GewuError('GEWU_USAGE', 'gewu models push PACKAGE [--edges A,B --reason TEXT]');
  const bytes = await readFile(file).catch(unusable);
  unpackModel(bytes, file);
  const api = await apiOf(values);
  const sha256 = sha256Of(bytes);
  const stored = await api.upload<ModelPackageAnswer>(`/api/v1/models/${sha256}`, bytes);
  print(`${stored.name}@${stored.version}  ${sha256}`);
  for (const edge of edges?.split(',') ?? []) {
    const path = `/api/v1/edges/${encodeURIComponent(edge)}/desired`;
    const { revision } = await api.get<DesiredAnswer>(path);
    const model = { package: sha256, ...(values['silent-rules'] ? { silentRules: true } : {}) };
    const candidate = { package: sha256, ...(values.cameras === undefined ? {} : { cameras: values.cameras.split(',') }) };
    const [part, wanted] = values.candidate ? ['candidate', { candidate }] : ['model', { model }];
    const set = await api.send<DesiredAnswer>('PUT', `${path}/${part}`, { revision, reason, ...wanted });
    print(`${edge}  revision ${set.revision}`);
  }
  return 0;
}

async function readKey(file: string): Promise<KeyObject> {
  const key = createPrivateKeyOf(await readFile(file).catch(unusable));
  if (key.asymmetricKeyType !== 'ed25519') throw new GewuError('GEWU_USAGE', `${file}: an Ed25519 key is wanted`);
  return key;
}

function createPrivateKeyOf(pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    return unusable(error as Error);
  }
}

function unusable(cause: Error): never {
  throw new GewuError('GEWU_USAGE', cause.message, { cause });
}

const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
