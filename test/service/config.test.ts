import { type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { expect, test } from 'vitest';
import { checkConfig, schemaMistakes } from '#service/mod.ts';

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

test('of a union the alternative that was meant is told, not what is wrong with the others', () => {
  const shape = Type.Union([
    Type.Object({ what: Type.Enum(['circle', 'ball']), radius: Type.Number() }, strict),
    Type.Object({ what: Type.Literal('line'), from: Type.Number(), to: Type.Number() }, strict),
    Type.Object(
      {
        what: Type.Literal('mark'),
        sign: Type.Enum(['dot', 'cross']),
        size: Type.Optional(Type.Union([Type.Literal(1), Type.Literal(2)])),
      },
      strict,
    ),
  ]);
  const said = (schema: TSchema, value: unknown) =>
    schemaMistakes(Compile(schema), value).map((m) => `${m.key} ${JSON.stringify(m.value)} ${m.message}`);
  const many = [
    { what: 'ball', radius: 'wide' },
    { what: 'line', from: 1, too: 2 },
    { what: 'mark', sign: 'dash', size: 3 },
    { what: 'lien', from: 1, to: 2 },
    { what: 'line', from: 1, to: 2 },
    7,
  ];
  expect(said(Type.Array(shape), many)).toEqual([
    '0.radius "wide" must be number',
    '1.to undefined is required',
    '1.too 2 unknown key',
    '2.sign "dash" must be one of: dot, cross',
    '2.size 3 must be one of: 1, 2',
    '3.what "lien" must be one of: circle, ball, line, mark',
    '5 7 must be object',
  ]);
  const orNull = Type.Object({ shape: Type.Union([Type.Object({ radius: Type.Number() }, strict), Type.Null()]) });
  expect(said(orNull, { shape: 'round' })).toEqual(['shape "round" must be object or null']);
  expect(said(orNull, { shape: { radius: '1' } })).toEqual(['shape.radius "1" must be number']);
  // As many as there are, and not the first eight.
  expect(said(Type.Array(Type.Number()), Array.from({ length: 40 }, String))).toHaveLength(40);
});
