import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  applyProfile,
  COMPONENT_CLASSES,
  DEVICE_KINDS,
  type DeviceKind,
  eventClass,
  fault,
  isId,
  validatePayload,
} from '#grid/mod.ts';

describe.each(DEVICE_KINDS)('$kind', (kind) => {
  test('its example is valid, plausible and raises nothing', () => {
    const result = validatePayload(kind, { ...kind.example, ts: 1, seq: 2, device_id: 'x' });
    expect(result).toEqual({ ok: true, value: { fields: kind.example, implausible: [], ts: 1, seq: 2 } });
  });

  test('names and rules refer to what exists', () => {
    for (const name of [kind.kind, ...Object.keys(kind.fields)]) expect(isId(name)).toBe(true);
    for (const code of kind.componentClasses) expect(COMPONENT_CLASSES.has(code)).toBe(true);
    expect(new Set(kind.rules.map((r) => r.id)).size).toBe(kind.rules.length);
    for (const r of kind.rules) {
      for (const c of [...r.when, ...r.clear.when]) expect(typeof c.value).toBe(kind.fields[c.field]?.type);
      expect('fault' in r.raises ? fault(r.raises.fault) : eventClass(r.raises.event)).toBeDefined();
    }
  });

  test('the demo profile only shortens', () => {
    for (const [i, r] of applyProfile(kind.rules, 'demo').entries()) {
      expect(r.confirm.forS).toBe(Math.min(5, kind.rules[i]?.confirm.forS ?? 0));
      expect(r.clear.forS).toBeLessThanOrEqual(4);
      expect(r.when).toEqual(kind.rules[i]?.when);
    }
  });
});

const cover = DEVICE_KINDS[0] as DeviceKind;
const code = (input: unknown) => {
  const r = validatePayload(cover, input);
  return r.ok ? 'ok' : r.code;
};

test.each([
  [null, 'GEWU_READING_TYPE'],
  [[], 'GEWU_READING_TYPE'],
  ['x', 'GEWU_READING_TYPE'],
  [{}, 'GEWU_PAYLOAD_EMPTY'],
  [{ seq: 1 }, 'GEWU_PAYLOAD_EMPTY'],
  [{ tilt_deg: '12' }, 'GEWU_READING_TYPE'],
  [{ tilt_deg: true }, 'GEWU_READING_TYPE'],
  [{ tilt_deg: null }, 'GEWU_READING_TYPE'],
  [{ opened: 1 }, 'GEWU_READING_TYPE'],
  [{ tilt_deg: Number.NaN }, 'GEWU_READING_NOT_FINITE'],
  [{ tilt_deg: 1, seq: -1 }, 'GEWU_READING_TYPE'],
  [{ tilt_deg: 1, ts: 1.5 }, 'GEWU_READING_TYPE'],
  [{ tilt: 1 }, 'GEWU_READING_FIELD_UNKNOWN'],
  [{ constructor: 1 }, 'GEWU_READING_FIELD_UNKNOWN'],
  [{ tilt_deg: { a: 1 } }, 'GEWU_PAYLOAD_TOO_DEEP'],
])('%j is %s', (input, wanted) => expect(code(input)).toBe(wanted));

test('a value out of range is kept and flagged', () => {
  expect(validatePayload(cover, { tilt_deg: 500, opened: true })).toEqual({
    ok: true,
    value: { fields: { tilt_deg: 500, opened: true }, implausible: ['tilt_deg'] },
  });
});

test('any JSON value is accepted or refused with a code', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (input) => {
      const r = validatePayload(cover, input);
      if (!r.ok) expect(r.code).toMatch(/^GEWU_/);
    }),
    { numRuns: 3000 },
  );
});
