import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CODECS, localToUtcMs, Mapper, Mapping, mappingMistakes, topicCovers } from '#grid/mod.ts';
import { ConfigError, checkConfig, ERRORS } from '#service/mod.ts';

const NOW = Date.UTC(2025, 0, 15);

const BASE = {
  version: 1,
  mapping: 'vendor',
  from: { topic: 'city/{place}/well/{well}' },
  codec: 'json',
  device: { placeholder: 'well' },
  fields: { tilt_deg: { path: 'tilt' } },
};

function mapper(changes: object = {}): Mapper {
  return new Mapper(checkConfig('mapping', Mapping, { ...BASE, ...changes }, mappingMistakes));
}
function map(changes: object, payload: unknown, topic = 'city/sh/well/mc-1') {
  const m = mapper(changes);
  const bytes = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  return m.map(bytes, { placeholders: m.match(topic) ?? {}, nowMs: NOW });
}
const sample = (changes: object, payload: unknown) => map(changes, payload).samples[0];
const reason = (changes: object, payload: unknown) => map(changes, payload).faults[0]?.reason;

function mistakes(changes: object): string[] {
  try {
    mapper(changes);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.mistakes.map((m) => `${m.key}: ${m.message}`);
  }
}

test('a topic gives the device, and only a topic that fits whole', () => {
  const m = mapper();
  expect(m.match('city/sh/well/mc-1')).toEqual({ place: 'sh', well: 'mc-1' });
  for (const topic of ['city/sh/well', 'city/sh/well/mc-1/x', 'city/sh/wall/mc-1', 'xcity/sh/well/mc-1', 'city//well/mc-1'])
    expect(m.match(topic)).toBeNull();
  expect(mapper({ from: { topic: 'a.b/c' }, device: { path: 'id' } }).match('axb/c')).toBeNull();
  expect(sample({}, { tilt: 3 })).toEqual({ device: 'mc-1', object: { tilt_deg: 3 }, unusable: [] });
});

test('the device comes from the payload as text or number, by table, or by what is around it', () => {
  const device = (how: object, id: unknown) =>
    map({ device: { path: 'dev.id', ...how } }, { dev: { id }, tilt: 1 }).samples[0]?.device;
  expect(device({}, 'mc-1')).toBe('mc-1');
  expect(device({}, 868120301234567)).toBe('868120301234567');
  expect(device({ prefix: 'mc-' }, 7)).toBe('mc-7');
  expect(device({ table: { 'AA:BB': 'mc-9' }, prefix: 'x-' }, 'AA:BB')).toBe('mc-9');
  expect(device({ strip: { start: 'urn:dev:mac:', end: ':' } }, 'urn:dev:mac:0024befffe804ff1:')).toBe('0024befffe804ff1');
  // Not to be told from its neighbours: beyond 2^53 numbers have gaps.
  expect(device({}, 2 ** 53)).toBeUndefined();
  for (const id of ['', 'a b', 'a/b', 'ä', 'x'.repeat(65), 1.5, null, true, {}, ['a']]) expect(device({}, id)).toBeUndefined();
  // Names of a prototype are names like others.
  expect(device({ table: { a: 'b' } }, 'constructor')).toBe('constructor');
});

test('values are scaled, converted, looked up', () => {
  const one = (field: object, value: unknown) =>
    sample({ fields: { battery_v: { path: 'x', ...field } } }, { x: value })?.object.battery_v;
  expect(one({ convert: 'mV to V' }, 3312)).toBe(3.312);
  expect(one({ scale: 0.1, offset: -4 }, '77')).toBe(3.7);
  expect(one({ absolute: true }, -3)).toBe(3);
  expect(one({ values: { low: 3.1, 1: 3.4 } }, 'low')).toBe(3.1);
  expect(one({ values: { low: 3.1, 1: 3.4 } }, 1)).toBe(3.4);
  // Nothing is done to a number that nothing is to be done to.
  expect(one({}, 1 / 3)).toBe(1 / 3);
  for (const value of ['', ' ', 'n/a', {}, [], '1e999']) expect(one({}, value)).toBeUndefined();
  expect(one({ scale: 1e300 }, 1e300)).toBeUndefined();
  const opened = (value: unknown, field: object = {}) =>
    sample({ fields: { opened: { path: 'x', ...field }, tilt_deg: { path: 't' } } }, { x: value, t: 1 });
  expect(opened(true)?.object.opened).toBe(true);
  expect(opened(1, { values: { 0: false, 1: true } })?.object.opened).toBe(true);
  expect(opened(true, { values: { true: false } })?.object.opened).toBe(false);
  // What stands there and is no value is told; what is not there is not.
  expect(opened('ajar', { values: { open: true } })).toMatchObject({ object: { tilt_deg: 1 }, unusable: ['opened'] });
  expect(opened(undefined)?.unusable).toEqual([]);
});

test.each([
  ['kPa to MPa', 'pressure_mpa', 280, 0.28],
  ['bar to MPa', 'pressure_mpa', 2.8, 0.28],
  ['mm to m', 'water_level_m', 2400, 2.4],
  ['cm to m', 'water_level_m', 240, 2.4],
  ['m3/h to L/s', 'flow_l_s', 54, 15],
  ['ratio to percent', 'dim_pct', 0.7, 70],
  ['percent to ratio', 'power_factor', 96, 0.96],
  ['F to C', 'temperature_c', 68, 20],
  ['mA to A', 'current_a', 450, 0.45],
  ['kW to W', 'power_w', 0.098, 98],
])('%s', (convert, field, theirs, ours) => {
  expect(sample({ fields: { [field]: { path: 'x', convert } } }, { x: theirs })?.object[field]).toBe(ours);
});

test('a unit that the payload says must be the one that was expected', () => {
  const fields = { temperature_c: { path: 'fields.t', unit: { path: 'units.t', is: 'Cel' } } };
  expect(sample({ fields }, { fields: { t: 20 }, units: { t: 'Cel' } })?.object).toEqual({ temperature_c: 20 });
  expect(reason({ fields }, { fields: { t: 293 }, units: { t: 'K' } })).toMatch(/not Cel/);
  expect(reason({ fields }, { fields: { t: 293 } })).toMatch(/not Cel/);
});

const MORNING = Date.UTC(2025, 0, 15, 8, 0, 0);
test.each([
  ['unix_s', 1736928000, undefined, MORNING],
  ['unix_s', '1736928000.25', undefined, MORNING + 250],
  ['unix_ms', 1736928000000, undefined, MORNING],
  ['iso8601', '2025-01-15T08:00:00Z', undefined, MORNING],
  ['iso8601', '2025-01-15T16:00:00.123456789+08:00', undefined, MORNING + 123],
  ['iso8601', '2025-01-15T16:00:00+0800', undefined, MORNING],
  ['local', '2025-01-15 16:00:00', 'Asia/Shanghai', MORNING],
  ['local', '2025/01/15 16:00', 'Asia/Shanghai', MORNING],
  ['local', '20250115160000', 'Asia/Shanghai', MORNING],
  ['local', '2025-01-15T09:00:00.5', 'Europe/Berlin', MORNING + 500],
  ['local', '2025-07-15 10:00:00', 'Europe/Berlin', Date.UTC(2025, 6, 15, 8)],
])('time %s %s %s', (format, value, timeZone, ts) => {
  const time = { path: 'at', format, ...(timeZone ? { timeZone } : {}) };
  expect(sample({ time }, { tilt: 1, at: value })?.object.ts).toBe(ts);
});

test('a time that is none is a fault, one that is not there is not', () => {
  const bad: [string, unknown][] = [
    ['unix_s', 'soon'],
    ['unix_s', -1],
    ['unix_s', 1e300],
    ['unix_ms', true],
    ['iso8601', '2025-01-15T08:00:00'],
    ['iso8601', '2025-01-15 08:00:00Z'],
    ['iso8601', '2025-13-15T08:00:00Z'],
    ['iso8601', 1736928000],
  ];
  for (const [format, at] of bad) expect(reason({ time: { path: 'at', format } }, { tilt: 1, at })).toBe('the time at at');
  expect(sample({ time: { path: 'at', format: 'unix_s' } }, { tilt: 1 })?.object).toEqual({ tilt_deg: 1 });
  expect(sample({ time: { path: 'at', format: 'unix_s' } }, { tilt: 1, at: null })?.object).toEqual({ tilt_deg: 1 });
});

test('local times around a change of the clocks, and what is no time', () => {
  const berlin = (text: string) => localToUtcMs(text, 'Europe/Berlin');
  expect(berlin('2025-03-30 01:59:59')).toBe(Date.UTC(2025, 2, 30, 0, 59, 59));
  expect(berlin('2025-03-30 03:00:00')).toBe(Date.UTC(2025, 2, 30, 1));
  expect(berlin('2025-03-30 02:30:00')).toBe(Date.UTC(2025, 2, 30, 1, 30));
  expect(berlin('2025-10-26 02:30:00')).toBe(Date.UTC(2025, 9, 26, 0, 30));
  expect(berlin('2025-10-26 03:00:00')).toBe(Date.UTC(2025, 9, 26, 2));
  for (const text of [
    '',
    '2025-02-29 01:00:00',
    '2025-01-15 24:00:00',
    '2025-01-15 08:60:00',
    '2025-1-5 8:00',
    '0025-01-15 08:00:00',
    '2025-01/15 08:00',
  ])
    expect(berlin(text)).toBeNull();
});

test('elements of an array are samples, with what stands around them', () => {
  const changes = {
    from: { path: '/push/x' },
    each: 'data.list',
    device: { path: 'data.id' },
    time: { path: 'at', format: 'unix_s' },
    seq: { path: 'n' },
  };
  const list = [{ tilt: 1, at: 1, n: 5 }, { tilt: 2, at: 2, n: '6' }, 7, { tilt: 3, n: 'x' }, { tilt: 4, data: { id: 'mc-2' } }];
  const { samples, faults } = map(changes, { at: 9, data: { id: 'mc-1', list } });
  expect(samples.map((s) => [s.device, s.object])).toEqual([
    ['mc-1', { tilt_deg: 1, ts: 1000, seq: 5 }],
    ['mc-1', { tilt_deg: 2, ts: 2000, seq: 6 }],
    ['mc-2', { tilt_deg: 4, ts: 9000 }],
  ]);
  expect(faults.map((f) => f.reason)).toEqual(['an element is no object', 'seq: n is no whole number']);
  expect(reason(changes, { data: { id: 'mc-1' } })).toBe('data.list: an array is wanted');
  expect(map(changes, { data: { id: 'mc-1', list: [] } }).faults).toMatchObject([{ code: 'GEWU_PAYLOAD_EMPTY' }]);
  const many = Array.from({ length: 501 }, () => ({ tilt: 1 }));
  expect(map(changes, { data: { id: 'mc-1', list: many } }).faults).toMatchObject([{ code: 'GEWU_PAYLOAD_TOO_LARGE' }]);
});

test('the firmware goes with the sample where the payload says it; what is none is left out', () => {
  const changes = { firmware: { path: 'fw' } };
  const said = (fw?: unknown) => map(changes, { tilt: 1, fw }).samples.map((s) => [s.firmware, s.unusable]);
  expect(said('1.4.2-rc1')).toEqual([['1.4.2-rc1', []]]);
  expect(said(7)).toEqual([['7', []]]);
  expect(said()).toEqual([[undefined, []]]);
  for (const none of ['\n', ' ', 'x'.repeat(65), {}, true]) expect(said(none)).toEqual([[undefined, ['firmware']]]);
});

test('a payload of many samples costs by its bytes, not by their number times what is around them', () => {
  const around = Object.fromEntries(Array.from({ length: 15_000 }, (_, i) => [`k${i}`, 0]));
  const changes = { each: 'list', strict: false };
  const payload = Buffer.from(JSON.stringify({ ...around, list: Array.from({ length: 500 }, () => ({ tilt: 1 })) }));
  const m = mapper(changes);
  const began = performance.now();
  expect(m.map(payload, { placeholders: { well: 'mc-1' }, nowMs: NOW }).samples).toHaveLength(500);
  expect(performance.now() - began).toBeLessThan(250);
});

test('a frame in an envelope; one that cannot be read costs the others nothing', () => {
  const changes = {
    codec: 'em310-tilt',
    frame: { path: 'data', encoding: 'hex' },
    device: { path: 'dev' },
    fields: { tilt_deg: { path: 'angle_z', scale: -1, offset: 90, absolute: true }, rssi: { path: 'rx.0.rssi' } },
  };
  const good = { dev: 'mc-1', data: '03CF00000000282307', rx: [{ rssi: -97 }] };
  const { samples, faults } = map(changes, [good, { dev: 'mc-2', data: '03C' }, { dev: 'mc-3', data: '0442' }, { dev: 'mc-4' }]);
  expect(samples).toMatchObject([{ device: 'mc-1', object: { tilt_deg: 0, rssi: -97 } }]);
  expect(faults.map((f) => f.code)).toEqual(['GEWU_CODEC_FAULT', 'GEWU_CODEC_FAULT', 'GEWU_CODEC_FAULT']);
  const base64 = { ...changes, frame: { path: 'data', encoding: 'base64' } };
  expect(map(base64, { ...good, data: 'A88AAAAAKCMH' }).samples).toHaveLength(1);
  expect(map(base64, { ...good, data: 'A88AAAAAKCMH!' }).faults).toHaveLength(1);
});

test('SenML by a mapping: fields by their own names, the unit checked', () => {
  const changes = {
    codec: 'senml',
    device: { path: 'name', strip: { start: 'urn:dev:mac:', end: ':' } },
    time: { path: 'time', format: 'unix_s' },
    fields: {
      water_level_m: { path: 'fields.level', unit: { path: 'units.level', is: 'm' } },
      temperature_c: { path: 'fields.air\\.temp' },
    },
  };
  const pack = [
    { bn: 'urn:dev:mac:0024befffe804ff1:', bt: 1.7e9, n: 'level', u: 'm', v: 2.4 },
    { n: 'air.temp', u: 'Cel', v: 21 },
  ];
  expect(map(changes, pack).samples).toEqual([
    { device: '0024befffe804ff1', object: { water_level_m: 2.4, temperature_c: 21, ts: 1.7e12 }, unusable: [] },
  ]);
});

test('strict refuses what nothing names; else it is told', () => {
  expect(map({}, { tilt: 1, foo: 2, bar: 3 }).unnamed).toEqual(['foo', 'bar']);
  expect(reason({ strict: true }, { tilt: 1, foo: 2 })).toBe('nothing names foo');
  expect(sample({ strict: true }, { tilt: 1 })).toBeDefined();
});

test('constants, required fields, nothing at all', () => {
  expect(sample({ constants: { opened: false } }, { tilt: 1 })?.object).toEqual({ opened: false, tilt_deg: 1 });
  expect(reason({ fields: { tilt_deg: { path: 'tilt', required: true } } }, { x: 1 })).toBe('tilt_deg: tilt is missing');
  expect(reason({ fields: { tilt_deg: { path: 'tilt', required: true } } }, { tilt: '-' })).toBe('tilt_deg: tilt is no value');
  expect(reason({}, { x: 1 })).toBe('none of the fields has a value');
  // Own properties only.
  expect(reason({ fields: { tilt_deg: { path: 'constructor.length' } } }, {})).toBe('none of the fields has a value');
});

test('every mistake of a mapping is named', () => {
  expect(mistakes({})).toEqual([]);
  expect(mistakes({ from: {} })[0]).toBe('from: exactly one of topic and path is wanted');
  expect(mistakes({ device: {} })).toEqual(['device: exactly one of placeholder and path is wanted']);
  expect(mistakes({ device: { placeholder: 'wall' } })).toEqual(['device.placeholder: the topic has no {wall}']);
  expect(mistakes({ from: { topic: 'a/x{well}' } })).toContain('from.topic: braces must hold a whole level, each name once');
  expect(mistakes({ from: { topic: '{well}/{well}' } })).toContain('from.topic: braces must hold a whole level, each name once');
  expect(mistakes({ from: { topic: 'devices/{well}' } })).toEqual(['from.topic: topics below devices/ speak our own format']);
  expect(mistakes({ frame: { path: 'a', encoding: 'hex' } })).toEqual(['frame: the codec json reads the payload itself']);
  expect(mistakes({ time: { path: 'a', format: 'local' } })).toEqual(['time.timeZone: local times need one']);
  expect(mistakes({ time: { path: 'a', format: 'local', timeZone: 'Mars/Base' } })).toEqual(['time.timeZone: no such time zone']);
  expect(mistakes({ time: { path: 'a', format: 'unix_s', timeZone: 'UTC' } })).toHaveLength(1);
  expect(mistakes({ fields: { tilt: { path: 'a' } } })).toEqual(['fields.tilt: no kind of device has such a field']);
  expect(mistakes({ kind: 'streetlight', fields: { pressure_mpa: { path: 'a' } } })).toEqual([
    'fields.pressure_mpa: a streetlight has no such field',
  ]);
  expect(mistakes({ fields: { opened: { path: 'a', scale: 2, values: { x: 1 } } } })).toHaveLength(2);
  expect(mistakes({ fields: { opened: { path: 'a', convert: 'mV to V' } } })).toEqual([
    'fields.opened.convert: opened is no number',
  ]);
  expect(mistakes({ constants: { tilt_deg: 1 } })).toEqual(['constants.tilt_deg: stands in `fields` too']);
  expect(mistakes({ constants: { opened: 1 } })).toEqual(['constants.opened: opened is a boolean']);
  expect(mistakes({ codec: 'xml' })[0]).toMatch(/^codec/);
  expect(mistakes({ fields: { tilt_deg: { path: 'a..b' } } })[0]).toMatch(/^fields\.tilt_deg\.path/);
  expect(mistakes({ fields: {} })[0]).toMatch(/^fields/);
  expect(mistakes({ surprise: 1 })).toEqual(['surprise: unknown key']);
});

test('one topic pattern covers another only when all of the other is its own', () => {
  expect(topicCovers('a/{x}', 'a/b')).toBe(true);
  expect(topicCovers('a/{x}', 'a/{y}')).toBe(true);
  expect(topicCovers('a/b', 'a/{x}')).toBe(false);
  expect(topicCovers('a/{x}', 'a/b/c')).toBe(false);
});

/** Of every codec one, with and without an envelope or an array. */
const ANY: readonly Mapper[] = [
  mapper({ strict: true }),
  mapper({ time: { path: 'ts', format: 'unix_s' }, seq: { path: 'seq' } }),
  mapper({ each: 'list', device: { path: 'id' }, time: { path: 'ts', format: 'local', timeZone: 'Asia/Shanghai' } }),
  mapper({ codec: 'senml', device: { path: 'name', prefix: 'x' }, fields: { tilt_deg: { path: 'fields.tilt' } } }),
  mapper({ codec: 'hydrant-push', device: { path: 'DeviceId' }, fields: { pressure_mpa: { path: 'Water' } } }),
  mapper({ codec: 'em310-tilt', fields: { tilt_deg: { path: 'angle_z' } } }),
  mapper({
    codec: 'em310-tilt',
    frame: { path: 'data', encoding: 'base64' },
    device: { path: 'id' },
    fields: { tilt_deg: { path: 'angle_z' } },
  }),
];
/** Mostly what the mappings above look for, with everything there that can be in JSON. */
const value = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.oneof(
      fc.double(),
      fc.integer(),
      fc.constantFrom(1e308, '1e400', '2025-01-15 08:00:00', 'A88AAAAAKCMH', 'mc-1'),
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
);
const GOOD = {
  tilt: 1,
  ts: '1.7e9',
  seq: 5,
  id: 'mc-1',
  bn: 'mc-1',
  n: 'tilt',
  v: 2,
  DeviceId: 'mc-1',
  Water: 0.2,
  data: 'A88AAAAAKCMH',
  list: [{ tilt: 1 }],
};
const NAMES = [...Object.keys(GOOD), 'bt', 't', 'u', 'vs', 'bver', 'TACQ', '__proto__'];
const name = fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...NAMES) }, { weight: 1, arbitrary: fc.string() });
const element = fc
  .tuple(fc.subarray(Object.entries(GOOD)), fc.array(fc.tuple(name, value), { maxLength: 3 }))
  .map(([good, changes]) => Object.fromEntries([...good, ...changes]) as unknown);
const json = fc.oneof(
  element,
  fc.array(fc.oneof({ weight: 9, arbitrary: element }, { weight: 1, arbitrary: fc.jsonValue() }), { maxLength: 4 }),
  fc.record({ id: value, ts: value, list: fc.oneof(fc.array(element, { maxLength: 4 }), value) }),
);
const DEEP = 3000;
const bytes = fc.oneof(
  { weight: 40, arbitrary: json.map((v) => Buffer.from(JSON.stringify(v) ?? '')) },
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 64 }).map((b) => Buffer.from(b)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('[', '{"list":', '{"id":').map((open) => {
      return Buffer.from(open.repeat(DEEP) + 1 + (open === '[' ? ']' : '}').repeat(DEEP));
    }),
  },
);

test('whatever comes in, samples in our format or coded faults come out', () => {
  let [samples, faults] = [0, 0];
  fc.assert(
    fc.property(bytes, fc.integer({ min: 0, max: ANY.length - 1 }), (payload, which) => {
      const mapped = (ANY[which] as Mapper).map(payload, { placeholders: { well: 'mc-1' }, nowMs: NOW });
      expect(mapped.samples.length + mapped.faults.length).toBeGreaterThan(0);
      for (const { code } of mapped.faults) expect(Object.hasOwn(ERRORS, code)).toBe(true);
      for (const { device, object } of mapped.samples) {
        expect(device).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
        for (const value of Object.values(object)) expect(typeof value === 'boolean' || Number.isFinite(value)).toBe(true);
        for (const name of ['ts', 'seq']) expect(object[name] === undefined || Number.isSafeInteger(object[name])).toBe(true);
      }
      samples += mapped.samples.length;
      faults += mapped.faults.length;
    }),
    { numRuns: 8000 },
  );
  // The generator makes both.
  expect(samples).toBeGreaterThan(300);
  expect(faults).toBeGreaterThan(1000);
});

test('the codecs throw nothing either', () => {
  fc.assert(
    fc.property(bytes, fc.constantFrom(...CODECS), (payload, codec) => {
      const decoded = codec.decode(payload, NOW);
      expect(decoded.ok || Object.hasOwn(ERRORS, decoded.code)).toBe(true);
    }),
    { numRuns: 3000 },
  );
});
