import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { NodeKeys } from '#edge/evidence/mod.ts';
import { loadEdgeConfig } from '#edge/mod.ts';
import { GewuError, silentLog } from '#service/mod.ts';
import { ApiClient } from '#simulators/target/mod.ts';
import { type Command, parseFlags, print, readToken, say } from '../command.ts';
import { exportCase } from './export.ts';
import { type Judgement, judgeExport, judgeFile, PROOF_SUFFIX } from './proof.ts';

const FLAGS = {
  key: { type: 'string', multiple: true },
  proof: { type: 'string' },
  url: { type: 'string', default: 'http://127.0.0.1:8080' },
  'token-file': { type: 'string' },
  out: { type: 'string' },
  rotate: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

export const evidence: Command = {
  name: 'evidence',
  summary: 'prove who took a picture or clip, when, and that nothing changed',
  usage: `usage: gewu evidence verify FILE|FOLDER [--key KEY]... [--proof FILE] [--json]
       gewu evidence export CASE --out FOLDER [--url URL] [--token-file FILE]
       gewu evidence key EDGE.YAML [--rotate] [--json]

export writes a case's files into a folder, each with a FILE${PROOF_SUFFIX}: the manifest that the node signed, and its public key. The token is
read from --token-file, or from GEWU_TOKEN.

verify needs no network. It says what does not fit: a file or a manifest that was changed, a key that nobody vouches for, a file of
another event, and a clock that may have been wrong. KEY is a node's public key (base64, or a file with it) that you have
from elsewhere, as \`gewu evidence key\` prints it at the node; without one the keys of the export count, which are as the centre pinned them.
Exit status 1 when something does not fit.

key prints the public key that a node signs with; --rotate makes a new key that wraps the keys of originals: restart the node.`,
  async run(args) {
    const { values, positionals } = parseFlags(args, FLAGS, 2);
    const [what, subject] = positionals;
    if (subject === undefined) throw new GewuError('GEWU_USAGE', 'gewu evidence verify|export|key ...');
    if (what === 'verify') return verify(subject, values);
    if (what === 'export') return exportTo(subject, values);
    if (what === 'key') return key(subject, values);
    throw new GewuError('GEWU_USAGE', `there is no \`gewu evidence ${what}\``);
  },
};

type Values = Partial<{
  key: string[];
  proof: string;
  url: string;
  'token-file': string;
  out: string;
  rotate: boolean;
  json: boolean;
}>;

async function verify(path: string, { key: keys = [], proof = path + PROOF_SUFFIX, json = false }: Values): Promise<number> {
  const given = await Promise.all(keys.map(publicKey));
  const found = await stat(path).catch(() => null);
  if (found === null) throw new GewuError('GEWU_USAGE', `there is no ${path}`);
  const judgements = found.isDirectory() ? await judgeExport(path, given) : [await judgeFile(path, proof, given)];
  const proven = judgements.every((j) => j.proven);
  print(json ? JSON.stringify({ proven, files: judgements }) : judgements.map(inWords).join('\n\n'));
  return proven ? 0 : 1;
}

function inWords({ file, proven, wrong, doubts, manifest, trust }: Judgement): string {
  const said = manifest === null ? [] : saidOf(manifest);
  const by = { given: 'the key that you gave', centre: 'the key that the centre has pinned' };
  return [
    `${proven ? 'PROVEN' : 'NOT PROVEN'}  ${file}`,
    ...wrong.map((text) => `  does not fit  ${text}`),
    ...doubts.map((text) => `  doubtful      ${text}`),
    ...said.map((text) => `  ${text}`),
    ...(manifest === null || trust === null ? [] : [`  signed        with ${by[trust]}`]),
  ].join('\n');
}

function saidOf({
  edge,
  camera,
  takenAt,
  endedAt,
  event,
  class: classKey,
  model,
  masked,
  kind,
  place,
}: NonNullable<Judgement['manifest']>): string[] {
  const until = endedAt === undefined ? '' : ` to ${new Date(endedAt).toISOString()}`;
  return [
    `taken         ${new Date(takenAt).toISOString()}${until}`,
    `by            camera ${camera} of ${edge}, model ${model}`,
    `at            ${place.lon.toFixed(6)}, ${place.lat.toFixed(6)} ±${place.errorRadiusM} m, unit grid ${place.cell}`,
    `for           event ${event}, class ${classKey}; ${masked ? 'masked' : 'unmasked'} ${kind}`,
  ];
}

/** A key in base64, or a file with it. */
async function publicKey(text: string): Promise<string> {
  const isKey = (value: string) => /^[A-Za-z0-9+/]{43}=$/.test(value);
  if (isKey(text)) return text;
  const content = (await readFile(text, 'utf8').catch(() => '')).trim();
  if (isKey(content)) return content;
  throw new GewuError('GEWU_USAGE', `--key ${text}: neither a public key in base64 nor a file with one`);
}

async function exportTo(id: string, { url = '', out, 'token-file': tokenFile }: Values): Promise<number> {
  if (out === undefined) throw new GewuError('GEWU_USAGE', '--out FOLDER is needed');
  const files = await exportCase(new ApiClient(url, await readToken(tokenFile)), id, out);
  say(`${files} files in ${out}; check them with: gewu evidence verify ${out}`);
  return 0;
}

async function key(file: string, { rotate = false, json = false }: Values): Promise<number> {
  const { edge, evidence: config } = await loadEdgeConfig(file);
  const keys = new NodeKeys({ dir: config.keysDir ?? join(edge.dataDir, 'keys'), log: silentLog });
  await keys.open();
  const wrapping = rotate ? await keys.rotate() : keys.newestWrapping;
  const told = { edge: edge.id, publicKey: keys.publicKey, keyId: keys.keyId, wrappingKey: wrapping.number };
  print(json ? JSON.stringify(told) : `${keys.publicKey}\n`.trim());
  if (!json) say(`${edge.id}: fingerprint ${keys.keyId}; originals are wrapped with key ${wrapping.number}`);
  return 0;
}
