import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { tempDir } from '../support/temp.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Lints files of these names and texts under our own configuration; the names of those that the import rules refuse. */
async function refused(cases: readonly [file: string, text: string][]): Promise<string[]> {
  const dir = await tempDir();
  await copyFile(join(ROOT, 'biome.json'), join(dir, 'biome.json'));
  for (const [file, text] of cases) {
    await mkdir(join(dir, dirname(file)), { recursive: true });
    await writeFile(join(dir, file), text);
  }
  const flags = [
    'lint',
    '--vcs-enabled=false',
    '--colors=off',
    '--only=style/noRestrictedImports',
    `--config-path=${dir}/biome.json`,
  ];
  const { stdout, stderr } = spawnSync(join(ROOT, 'node_modules/.bin/biome'), [...flags, dir], { encoding: 'utf8' });
  return cases.map(([file]) => file).filter((file) => (stdout + stderr).includes(`${file}:`));
}

test('forbidden imports are refused, by alias, by path and dynamic', async () => {
  const cases: [string, string][] = [
    ['edge/alias.ts', "import { a } from '#ingest/mod.ts';\nexport { a };\n"],
    ['edge/cameras/path.ts', "import { a } from '../../ingest/mod.ts';\nexport { a };\n"],
    ['ingest/dynamic.ts', "export const f = () => import('#edge/mod.ts');\n"],
    ['grid/up.ts', "import { a } from '#service/mod.ts';\nexport { a };\n"],
    ['simulators/inside.ts', "import { a } from '#edge/mod.ts';\nexport { a };\n"],
    ['service/models.ts', "import { a } from '#models/mod.ts';\nexport { a };\n"],
    ['edge/door.ts', "import { a } from '#grid/wire/frame.ts';\nexport { a };\n"],
  ];
  expect(await refused(cases)).toEqual(cases.map(([file]) => file));
});

test('allowed imports are not', async () => {
  const cases: [string, string][] = [
    ['edge/wire.ts', "import { a } from '#grid/wire/mod.ts';\nexport { a };\n"],
    ['ingest/service.ts', "import { a } from '#service/mod.ts';\nexport { a };\n"],
    ['cli/all.ts', "import { a } from '#edge/mod.ts';\nexport { a };\n"],
  ];
  expect(await refused(cases)).toEqual([]);
});
