import { expect, test } from 'vitest';
import { CODECS, type Decoded } from '#grid/mod.ts';

const NOW = 1_700_000_000_000;

function decode(name: string, bytes: Uint8Array | string, nowMs = NOW): Decoded {
  const codec = CODECS.find((c) => c.name === name);
  if (codec === undefined) throw new Error(name);
  return codec.decode(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, nowMs);
}
const objects = (decoded: Decoded) => (decoded.ok ? decoded.objects : decoded);
const senml = (records: unknown, nowMs = NOW) => objects(decode('senml', JSON.stringify(records), nowMs));

/** RFC 8428, section 5.1. */
const OW = 'urn:dev:ow:10e2073a0108006';

test('SenML: one measurement of now', () => {
  expect(senml([{ n: `${OW}3`, u: 'Cel', v: 23.1 }])).toEqual([
    { name: `${OW}3`, time: NOW / 1000, fields: { value: 23.1 }, units: { value: 'Cel' } },
  ]);
});

test('SenML: two measurements of one device under its base name', () => {
  const records = [
    { bn: `${OW}:`, n: 'voltage', u: 'V', v: 120.1 },
    { n: 'current', u: 'A', v: 1.2 },
  ];
  expect(senml(records)).toEqual([
    { name: `${OW}:`, time: NOW / 1000, fields: { voltage: 120.1, current: 1.2 }, units: { voltage: 'V', current: 'A' } },
  ]);
});

test('SenML: base time, base unit, and times before it', () => {
  const base = 1.276020076001e9;
  const records = [
    { bn: `${OW}:`, bt: base, bu: 'A', bver: 5, n: 'voltage', u: 'V', v: 120.1 },
    ...[1.2, 1.3, 1.4, 1.5, 1.6, 1.7].map((v, i) => ({ n: 'current', ...(i === 5 ? {} : { t: i - 5 }), v })),
  ];
  const found = senml(records) as { time: number; fields: object; units: object }[];
  expect(found).toHaveLength(6);
  expect(found[0]).toMatchObject({ time: base, fields: { voltage: 120.1, current: 1.7 }, units: { voltage: 'V', current: 'A' } });
  expect(found.slice(1).map((o) => [o.time, o.fields])).toEqual(
    [1.2, 1.3, 1.4, 1.5, 1.6].map((current, i) => [base + i - 5, { current }]),
  );
});

test('SenML: several units under one name lose nothing', () => {
  const records = [
    { bn: `${OW}3`, bt: 1.320067464e9, bu: '%RH', v: 20 },
    { u: 'lon', v: 24.30621 },
    { u: 'lat', v: 60.07965 },
    { t: 60, v: 20.3 },
    { u: 'lon', t: 60, v: 24.30622 },
  ];
  expect(senml(records)).toEqual([
    {
      name: `${OW}3`,
      time: 1.320067464e9,
      fields: { value: 20, 'value@lon': 24.30621, 'value@lat': 60.07965 },
      units: { value: '%RH', 'value@lon': 'lon', 'value@lat': 'lat' },
    },
    {
      name: `${OW}3`,
      time: 1.320067524e9,
      fields: { value: 20.3, 'value@lon': 24.30622 },
      units: { value: '%RH', 'value@lon': 'lon' },
    },
  ]);
});

test('SenML: text, data, switches, sums and the base values; what only sets a base is no measurement', () => {
  const records = [
    { bn: `${OW}:`, bt: 1.3e9 },
    { bt: 1.4e9, bv: 100, bs: 1000 },
    { n: 'temp', v: 2.5 },
    { n: 'label', vs: 'Machine Room' },
    { n: 'open', vb: false },
    { n: 'nfc', vd: 'aGkgCg' },
    { n: 'energy', s: 5 },
  ];
  expect(senml(records)).toEqual([
    {
      name: `${OW}:`,
      time: 1.4e9,
      fields: { temp: 102.5, label: 'Machine Room', open: false, nfc: 'aGkgCg', energy: 1005 },
      units: {},
    },
  ]);
});

test('SenML: below 2^28 a time counts from now, and two devices without a base name stay apart', () => {
  const records = [
    { n: 'dev-1/temp', t: -30, v: 1 },
    { n: 'dev-2/temp', t: 2 ** 28, v: 2 },
  ];
  expect(senml(records)).toEqual([
    { name: 'dev-1/temp', time: NOW / 1000 - 30, fields: { value: 1 }, units: {} },
    { name: 'dev-2/temp', time: 2 ** 28, fields: { value: 2 }, units: {} },
  ]);
});

test('SenML: the same name twice at one time makes two samples', () => {
  expect(
    senml([
      { bn: 'a:', n: 'x', v: 1 },
      { n: 'x', v: 2 },
      { n: 'y', v: 3 },
    ]),
  ).toMatchObject([{ fields: { x: 1 } }, { fields: { x: 2, y: 3 } }]);
});

test.each([
  ['a label that must be understood', [{ n: 'a', v: 1, ct_: 'x' }]],
  ['two values', [{ n: 'a', v: 1, vb: true }]],
  ['a later version', [{ n: 'a', v: 1, bver: 11 }]],
  ['a name with a space', [{ n: 'a b', v: 1 }]],
  ['a name that begins with a dot', [{ n: '.a', v: 1 }]],
  ['no name', [{ v: 1 }]],
  ['a value as text', [{ n: 'a', v: '1' }]],
  ['a switch as a number', [{ n: 'a', vb: 1 }]],
  ['a record that is no object', [{ n: 'a', v: 1 }, 7]],
])('SenML refuses %s', (_what, records) => {
  expect(senml(records)).toMatchObject({ ok: false, code: 'GEWU_CODEC_FAULT' });
});

test('SenML: nothing measured is empty; what is not known is left alone', () => {
  expect(senml([{ bn: 'a' }])).toMatchObject({ code: 'GEWU_PAYLOAD_EMPTY' });
  expect(senml([])).toMatchObject({ code: 'GEWU_PAYLOAD_EMPTY' });
  expect(senml([{ n: 'a', v: 1, vendor: {} }])).toHaveLength(1);
  // A field of this name is a field, and nothing else.
  expect(senml([{ bn: 'a:', n: '__proto__', v: 1 }])).toMatchObject([{ name: 'a:' }]);
});

const em310 = (hex: string) => objects(decode('em310-tilt', Buffer.from(hex, 'hex')));

test('EM310-TILT: the example of the domain notes, and angles below zero', () => {
  expect(em310('03CF00000000282307')).toEqual([
    { angle_x: 0, angle_y: 0, angle_z: 90, beyond_x: true, beyond_y: true, beyond_z: true },
  ]);
  expect(em310('017564' + '03CF18FC9CFF282302')).toEqual([
    { battery_pct: 100, angle_x: -10, angle_y: -1, angle_z: 90, beyond_x: false, beyond_y: true, beyond_z: false },
  ]);
});

test('EM310-TILT: what it says of itself after a restart is passed over', () => {
  expect(em310('FF0BFFFF0101FF166747D19687870010FF090310FF0A0101FF0F00FFFFFFFF017563')).toEqual([{ battery_pct: 99 }]);
  expect(em310('FF0BFF')).toMatchObject({ code: 'GEWU_PAYLOAD_EMPTY' });
});

test.each(['03', '03CF', '03CF0000000028', '0175', '0442', '017564FF'])('EM310-TILT refuses %s', (hex) => {
  expect(em310(hex)).toMatchObject({ ok: false, code: 'GEWU_CODEC_FAULT' });
});

/** A push of docs/domain/sensors.md section 3: names as there, values as text. */
const PUSH = {
  DeviceId: '868120301234567',
  TACQ: '2025-01-15 08:00:00',
  UploadDate: '2025-01-15 08:00:04',
  Status: '0',
  WaterStatus: '0',
  ValvStatus: '0',
  KnockDownStatus: '0',
  KnockStatus: '2',
  SeparationStatus: '0',
  Voltage: '3.59',
  Temperature: '',
  Water: 0.28,
  Signal: '-101',
  SendNumber: '41',
};
const push = (body: unknown) => decode('hydrant-push', JSON.stringify(body));

test('hydrant push: numbers of text, times of China, nothing of what was not measured', () => {
  expect(objects(push([PUSH]))).toEqual([
    {
      DeviceId: '868120301234567',
      TACQ: Date.UTC(2025, 0, 15, 0, 0, 0),
      UploadDate: Date.UTC(2025, 0, 15, 0, 0, 4),
      Status: 0,
      WaterStatus: 0,
      ValvStatus: 0,
      KnockDownStatus: 0,
      KnockStatus: 2,
      SeparationStatus: 0,
      Voltage: 3.59,
      Water: 0.28,
      Signal: -101,
      SendNumber: 41,
      CapOpen: false,
    },
  ]);
  for (const cap of [{ ValvStatus: '2' }, { SeparationStatus: 1 }])
    expect(objects(push({ ...PUSH, ...cap }))).toMatchObject([{ CapOpen: true }]);
});

test('hydrant push: one bad sample costs the others nothing', () => {
  const bad = [
    { ...PUSH, Water: '0.3 MPa' },
    { ...PUSH, TACQ: '2025-02-30 08:00:00' },
    { ...PUSH, DeviceId: '' },
  ];
  const decoded = push([PUSH, ...bad, { ...PUSH, DeviceId: 7 }]);
  expect(objects(decoded)).toMatchObject([{ DeviceId: '868120301234567' }, { DeviceId: '7' }]);
  expect(decoded).toMatchObject({
    refused: [
      { device: '868120301234567', code: 'GEWU_CODEC_FAULT', reason: 'Water: a number is wanted' },
      { device: '868120301234567', reason: 'TACQ: YYYY-MM-DD HH:mm:ss is wanted' },
      { device: '', reason: /^DeviceId/ },
    ].map((r) => ({ ...r, reason: r.reason instanceof RegExp ? expect.stringMatching(r.reason) : r.reason })),
  });
});

test('JSON: bytes that are none, empty, too many, of other things', () => {
  const json = (text: string | Uint8Array) => decode('json', text);
  expect(json('{')).toMatchObject({ code: 'GEWU_PAYLOAD_NOT_JSON' });
  expect(json(Buffer.from([0x22, 0xff, 0x22]))).toMatchObject({ code: 'GEWU_PAYLOAD_NOT_JSON' });
  expect(json('[]')).toMatchObject({ code: 'GEWU_PAYLOAD_EMPTY' });
  expect(json(`[${'{},'.repeat(500)}{}]`)).toMatchObject({ code: 'GEWU_PAYLOAD_TOO_LARGE' });
  expect(json('[1]')).toMatchObject({ code: 'GEWU_CODEC_FAULT' });
  expect(objects(json('{"a":1}'))).toEqual([{ a: 1 }]);
});
