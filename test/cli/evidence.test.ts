import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { judge, judgeFile, PROOF_SUFFIX, type Proof } from '#cli/evidence/proof.ts';
import { keyIdOf, newSigningKey, publicKeyOf, signManifest } from '#service/mod.ts';
import { manifestOf } from '../ingest/evidence/records.ts';
import { sha256Of } from '../support/evidence.ts';
import { tempDir } from '../support/temp.ts';

const [node, other] = [newSigningKey(), newSigningKey()];
const picture = Buffer.from('a picture');
const manifest = manifestOf({ sha256: sha256Of(picture), bytes: picture.length });
const known = (key: typeof node, edge = 'edge-1', state: 'pinned' | 'waiting' | 'retired' = 'pinned') => {
  const publicKey = publicKeyOf(key);
  return { edge, keyId: keyIdOf(publicKey), publicKey, state, firstSeenAt: 1, decidedAt: 1, decidedBy: 'first-use' };
};
const proof = (changes: Partial<Proof> = {}): Proof => ({
  signed: signManifest(manifest, node),
  claim: { event: 'ev-1', edge: 'edge-1', receivedAt: manifest.takenAt + 1000 },
  keys: [known(node)],
  ...changes,
});

test('a file with its proof: who took it, when, and nothing is wrong', () => {
  expect(judge('f', picture, proof())).toEqual({ file: 'f', proven: true, wrong: [], doubts: [], manifest, trust: 'centre' });
  expect(judge('f', picture, proof({ keys: [] }), [publicKeyOf(node)])).toMatchObject({ proven: true, trust: 'given' });
});

test.each<[string, Partial<Proof>, RegExp, Buffer?]>([
  ['a changed file', {}, /^file: has the SHA-256/, Buffer.from('a picturf')],
  [
    'a changed manifest',
    { signed: { ...signManifest(manifest, node), manifest: { ...manifest, takenAt: manifest.takenAt + 1 } } },
    /^manifest: changed/,
  ],
  [
    'a changed place',
    { signed: { ...signManifest(manifest, node), manifest: { ...manifest, camera: 'cam-2' } } },
    /^manifest: changed/,
  ],
  ['a key that nobody vouches for', { keys: [known(other)] }, /^key: unknown/],
  ['a key that nobody has accepted', { keys: [known(node, 'edge-1', 'waiting')] }, /^key: nobody at the centre has accepted/],
  ['the key of another edge', { keys: [known(node, 'edge-2')] }, /^key: belongs to edge-2/],
  ['a file of another event', { claim: { event: 'ev-2', edge: 'edge-1', receivedAt: null } }, /^event: the case has it for ev-2/],
  ['a file of another edge', { claim: { event: 'ev-1', edge: 'edge-2', receivedAt: null } }, /^edge: it came from edge-2/],
  ['no signature', { signed: null }, /^signature: nobody/],
])('%s is told, and nothing else', (_what, changes, wanted, content = picture) => {
  const { proven, wrong } = judge('f', content, proof(changes));
  expect([proven, wrong.length]).toEqual([false, 1]);
  expect(wrong[0]).toMatch(wanted);
});

test('keys from elsewhere count alone: what the export says of its own keys is then nothing', () => {
  expect(judge('f', picture, proof(), [publicKeyOf(other)])).toMatchObject({
    proven: false,
    wrong: [expect.stringMatching(/^key: unknown/)],
  });
});

test('a clock that may have been wrong is a doubt, not a lie', () => {
  const doubt = (changes: object, receivedAt: number | null = null) =>
    judge(
      'f',
      picture,
      proof({ signed: signManifest({ ...manifest, ...changes }, node), claim: { event: 'ev-1', edge: 'edge-1', receivedAt } }),
    );
  expect(doubt({ clockOffsetMs: 90_000 })).toMatchObject({
    proven: true,
    doubts: ["clock: the node's clock was 90000 ms from the centre's"],
  });
  expect(doubt({ clockOffsetMs: null }).doubts[0]).toMatch(/had not compared/);
  expect(doubt({}, manifest.takenAt - 60_000).doubts[0]).toMatch(/taken after it reached the centre/);
  expect(doubt({ clockOffsetMs: 900 }).doubts).toEqual([]);
});

test('gewu evidence verify: words and exit status', async () => {
  const file = join(await tempDir(), 'picture.jpg');
  await writeFile(file, picture);
  await writeFile(file + PROOF_SUFFIX, JSON.stringify(proof()));
  expect((await judgeFile(file, file + PROOF_SUFFIX, [])).proven).toBe(true);
  const main = join(import.meta.dirname, '../../cli/main.ts');
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, [main, 'evidence', 'verify', file, ...args]).then(
      ({ stdout }) => ({ stdout, code: 0 }),
      (error: { stdout: string; code: number }) => ({ stdout: error.stdout, code: error.code }),
    );
  const good = await run('--key', publicKeyOf(node));
  expect([good.code, good.stdout.split('\n')[0]]).toEqual([0, `PROVEN  ${file}`]);
  expect(good.stdout).toContain('with the key that you gave');
  await writeFile(file, (await readFile(file)).reverse());
  const bad = await run('--json');
  expect([bad.code, JSON.parse(bad.stdout).proven]).toEqual([1, false]);
});
