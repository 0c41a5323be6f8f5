import fc from 'fast-check';

/** What is sent, as generated: descriptions of bytes, so that a counterexample shrinks to something that one can read. */

const ID = /^[A-Za-z0-9_-]{1,16}$/;
export const id = fc.stringMatching(ID);

/** Strings that have broken line protocol, JSON or MQTT of somebody somewhere. */
const KNOWN_TRICKS = [
  '',
  ' ',
  '\\',
  '"',
  '=',
  ',',
  '\n',
  '\r\n',
  '\0',
  '#',
  'a\\ b',
  'a,edge=edge-02',
  'mc-1,edge=edge-02',
  'tilt_deg=1,injected=2',
  'x=1 1\nforged,cell=110101001001017,device=mc-1,edge=edge-02 a=1 1700000000000\ny',
  '1i',
  '1u',
  '"text"',
  'true,forged=1',
  '__proto__',
  'constructor',
  'time',
  'edge',
  '格物',
  'é'.repeat(40),
  '\u2028',
  '\ufeff',
  '\ud800',
  'x'.repeat(65),
];

/** Unicode, and more often what means something in line protocol. */
export const text: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 24 }),
  fc.string({ unit: fc.constantFrom(',', ' ', '=', '"', '\n', '\\', '\r', '\t', '\0', '#', 'a', '1', 'é', '格'), maxLength: 16 }),
  fc.constantFrom(...KNOWN_TRICKS),
);

/** A number as text, usual or at the edges of what a double, a parser or InfluxDB takes. */
export const numberText: fc.Arbitrary<string> = fc.oneof(
  fc.double({ noNaN: true }).map((n) => String(n)),
  fc.integer().map((n) => String(n)),
  fc.constantFrom(
    '-0',
    '007',
    '1e309',
    '-1e309',
    '5e-324',
    '1e-400',
    '1E5',
    '1.',
    '.5',
    '+1',
    '1i',
    '0x10',
    'NaN',
    'Infinity',
    '--1',
  ),
  fc.integer({ min: 1, max: 400 }).map((n) => '9'.repeat(n)),
);

export type Mutation =
  | { flip: number }
  | { cutAt: number }
  | { insert: number; byte: number }
  | { remove: number; bytes: number }
  | { repeat: number; bytes: number };

const share = fc.double({ min: 0, max: 1, noNaN: true });
/** Places are shares of the length. */
export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  share.map((flip) => ({ flip })),
  share.map((cutAt) => ({ cutAt })),
  fc.record({ insert: share, byte: fc.nat(255) }),
  fc.record({ remove: share, bytes: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ repeat: share, bytes: fc.integer({ min: 1, max: 200 }) }),
);

export function mutate(bytes: Buffer, mutations: readonly Mutation[]): Buffer {
  let out = bytes;
  for (const m of mutations) {
    if ('flip' in m) {
      const bit = Math.floor(m.flip * (out.length * 8 - 1));
      out = Buffer.from(out);
      if (out.length > 0) out[bit >> 3] = (out[bit >> 3] as number) ^ (1 << (bit & 7));
    } else if ('cutAt' in m) out = out.subarray(0, Math.floor(m.cutAt * out.length));
    else if ('insert' in m) out = splice(out, m.insert, 0, Buffer.of(m.byte));
    else if ('remove' in m) out = splice(out, m.remove, m.bytes, Buffer.alloc(0));
    else {
      const at = Math.floor(m.repeat * out.length);
      out = splice(out, m.repeat, 0, out.subarray(at, at + m.bytes));
    }
  }
  return out;
}

function splice(bytes: Buffer, where: number, remove: number, insert: Buffer): Buffer {
  const at = Math.floor(where * bytes.length);
  return Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
}

/** What a device publishes: text or bytes, and what the line did to it. */
export interface PayloadSpec {
  content: string | Uint8Array;
  mutations: readonly Mutation[];
}

export const payloadBytes = ({ content, mutations }: PayloadSpec) => mutate(Buffer.from(content), mutations);

/** JSON text of an object, names in the given order, repeated ones kept. */
const objectText = (pairs: readonly (readonly [string, string])[]) =>
  `{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;

/** Fields of manhole covers, streetlights and hydrants, and of nobody. */
const fieldName = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('tilt_deg', 'opened', 'battery_v', 'rssi', 'voltage_v', 'pressure_mpa') },
  { weight: 1, arbitrary: fc.constantFrom('ts', 'seq', 'device_id', 'edge', 'time', '__proto__', 'constructor', 'toString') },
  { weight: 1, arbitrary: text },
);
const value = fc.oneof(
  { weight: 4, arbitrary: fc.double({ min: -50, max: 200, noNaN: true }).map((n) => JSON.stringify(n)) },
  { weight: 3, arbitrary: fc.boolean().map(String) },
  { weight: 1, arbitrary: numberText },
  { weight: 1, arbitrary: text.map((t) => JSON.stringify(t)) },
  { weight: 1, arbitrary: fc.constantFrom('null', '[]', '{}', '{"a":1}', '[1]') },
);
const plausible = fc
  .record(
    {
      tilt_deg: fc.double({ min: 0, max: 180, noNaN: true }).map((n) => JSON.stringify(n)),
      opened: fc.boolean().map(String),
      battery_v: fc.constantFrom('3.6', '3.1', '-0', '1e-7', '123456789012345680000'),
      seq: fc.nat().map(String),
      // Around now, in the past and the future, far off.
      ts: fc.oneof(
        fc.integer({ min: -90_000, max: 400_000 }).map((ms) => String(Date.now() + ms)),
        fc.nat().map(String),
        fc.constantFrom('1e12', '9007199254740991', '-1', '0.5'),
      ),
    },
    { requiredKeys: [] },
  )
  .map((o) => objectText(Object.entries(o)));
const sample = fc.oneof(
  { weight: 3, arbitrary: plausible },
  { weight: 2, arbitrary: fc.array(fc.tuple(fieldName, value), { maxLength: 5 }).map(objectText) },
);
const payloadText = fc.oneof(
  { weight: 6, arbitrary: sample },
  { weight: 2, arbitrary: fc.array(sample, { maxLength: 5 }).map((all) => `[${all.join(',')}]`) },
  { weight: 1, arbitrary: fc.json({ maxDepth: 3 }) },
  { weight: 1, arbitrary: text },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'online',
      '{"state":"offline"}',
      '[{"state":"online"}]',
      'offline ',
      '\ufeff{"tilt_deg":1}',
      ' {"tilt_deg":1} ',
      `${'['.repeat(3000)}${']'.repeat(3000)}`,
      `[${'{"tilt_deg":1},'.repeat(500)}{"tilt_deg":1}]`,
      `[${'{"tilt_deg":1},'.repeat(499)}{"tilt_deg":1}]`,
      `{"tilt_deg":1${' '.repeat(20_000)}}`,
    ),
  },
);

export const payloadSpec: fc.Arbitrary<PayloadSpec> = fc.record({
  content: fc.oneof({ weight: 9, arbitrary: payloadText }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 120 }) }),
  mutations: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 3 }) },
  ),
});

/** A topic at the edge, of a device with this id. */
export const deviceTopic = (own: string): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 24, arbitrary: fc.constant(`devices/${own}/telemetry`) },
    { weight: 3, arbitrary: fc.constant(`devices/${own}/status`) },
    { weight: 1, arbitrary: text.map((t) => `devices/${t}/telemetry`) },
    { weight: 1, arbitrary: text.map((t) => `devices/${own}/${t}`) },
    { weight: 1, arbitrary: text },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        `devices/${own}/telemetry/`,
        `/devices/${own}/telemetry`,
        `devices/${own}/telemetry\n`,
        `devices/${own}\0/telemetry`,
        `devices/../${own}/telemetry`,
        'gewu/v1/edge-01/up/readings',
        '$SYS/x',
      ),
    },
  );
