import { expect, test } from 'vitest';
import { ERRORS } from '#service/mod.ts';
import { en } from '../../console/i18n/en.ts';
import { zh } from '../../console/i18n/zh.ts';

type Tree = { [key: string]: string | Tree };

function flat(tree: Tree, prefix = ''): Map<string, string> {
  return new Map(
    Object.entries(tree).flatMap(([key, value]) =>
      typeof value === 'string' ? [[prefix + key, value] as const] : [...flat(value, `${prefix}${key}.`)],
    ),
  );
}
const [chinese, english] = [flat(zh), flat(en)];

test('Chinese and English have the same texts', () => {
  expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort());
  for (const [key, text] of [...chinese, ...english]) expect([key, text.trim() !== '']).toEqual([key, true]);
});

test('a text has the same places to fill in in both', () => {
  const places = (text = '') => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((m) => m[1]).sort();
  for (const [key, text] of chinese) expect([key, places(english.get(key))]).toEqual([key, places(text)]);
});

test('English texts hold no Chinese', () => {
  for (const [key, text] of english) expect([key, /[\u4e00-\u9fff]/.test(text)]).toEqual([key, false]);
});

test('each error has a text in both, and none of another', () => {
  const codes = Object.keys(ERRORS).sort();
  expect(Object.keys(zh.refusal).sort()).toEqual(codes);
  for (const text of Object.values(zh.refusal)) expect(text).toMatch(/[\u4e00-\u9fff]/);
});
