import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { checkConfig } from '#service/mod.ts';

const strict = { additionalProperties: false } as const;
const Schema = Type.Object(
  {
    version: Type.Literal(1),
    port: Type.Integer({ minimum: 0, maximum: 65_535, default: 1883 }),
    limits: Type.Object({ clientsMax: Type.Integer({ default: 10 }) }, { ...strict, default: {} }),
    names: Type.Array(Type.String({ maxLength: 5 }), { default: [] }),
  },
  strict,
);

/** Code, and `key value` of every mistake. */
function mistakes(input: unknown): [string, ...string[]] {
  try {
    checkConfig('f.yaml', Schema, input);
    return ['valid'];
  } catch (error) {
    const { code, mistakes = [] } = error as { code: string; mistakes?: { key: string; value: unknown }[] };
    return [code, ...mistakes.map((m) => `${m.key} ${JSON.stringify(m.value)}`)];
  }
}

test('defaults fill what is missing, at every depth', () => {
  expect(checkConfig('f.yaml', Schema, { version: 1 })).toEqual({
    version: 1,
    port: 1883,
    limits: { clientsMax: 10 },
    names: [],
  });
});

test.each<[unknown, string[]]>([
  [{ version: 1, prot: 1 }, ['GEWU_CONFIG_INVALID', 'prot 1']],
  [{ version: 1, port: '80', limits: { clientsMin: 2 } }, ['GEWU_CONFIG_INVALID', 'limits.clientsMin 2', 'port "80"']],
  [{ version: 1, names: ['a', 'much too long', 7] }, ['GEWU_CONFIG_INVALID', 'names.1 "much too long"', 'names.2 7']],
  [{ port: 1 }, ['GEWU_CONFIG_INVALID', 'version undefined']],
  [{ version: 2, port: 'x' }, ['GEWU_CONFIG_VERSION']],
  [null, ['GEWU_CONFIG_INVALID', '(root) null']],
  ['text', ['GEWU_CONFIG_INVALID', '(root) "text"']],
])('%j names every mistake with key and value', (input, wanted) => {
  const [code, ...rest] = mistakes(input);
  expect([code, ...rest.sort()]).toEqual(wanted);
});
