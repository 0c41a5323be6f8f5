import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ERRORS } from '#service/mod.ts';

test('docs/errors.md lists every code, its remedy and its hint, and no other', async () => {
  const text = await readFile(join(import.meta.dirname, '../../docs/errors.md'), 'utf8');
  const rows = text.split('\n').filter((l) => l.startsWith('| GEWU_'));
  const wanted = Object.entries(ERRORS).map(([code, e]) => `| ${code} | ${e.remedy} | ${e.status} | ${e.hint} |`);
  expect(rows).toEqual(wanted);
});
