import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** Lints text as if it stood in `file`; true when the import rules refuse it. */
function refused(file: string, text: string): boolean {
  const run = spawnSync(
    join(ROOT, 'node_modules/.bin/biome'),
    ['lint', `--stdin-file-path=${file}`, '--only=style/noRestrictedImports'],
    {
      cwd: ROOT,
      input: text,
      encoding: 'utf8',
    },
  );
  // With this one rule switched on, a non-zero status can only be its finding.
  return run.status !== 0;
}

const FORBIDDEN: [string, string][] = [
  ['edge/x.ts', "import { a } from '#ingest/mod.ts';\nexport { a };\n"],
  ['edge/cameras/x.ts', "import { a } from '../../ingest/mod.ts';\nexport { a };\n"],
  ['ingest/x.ts', "export const f = () => import('#edge/mod.ts');\n"],
  ['grid/x.ts', "import { a } from '#service/mod.ts';\nexport { a };\n"],
  ['simulators/x.ts', "import { a } from '#edge/mod.ts';\nexport { a };\n"],
  ['service/x.ts', "import { a } from '#models/mod.ts';\nexport { a };\n"],
  ['edge/x.ts', "import { a } from '#grid/wire/frame.ts';\nexport { a };\n"],
];
const ALLOWED: [string, string][] = [
  ['edge/x.ts', "import { a } from '#grid/wire/mod.ts';\nexport { a };\n"],
  ['ingest/x.ts', "import { a } from '#service/mod.ts';\nexport { a };\n"],
  ['cli/x.ts', "import { a } from '#edge/mod.ts';\nexport { a };\n"],
];

describe('the import table bites', () => {
  test.each(FORBIDDEN)('%s may not: %s', (file, text) => expect(refused(file, text)).toBe(true));
  test.each(ALLOWED)('%s may: %s', (file, text) => expect(refused(file, text)).toBe(false));
});
