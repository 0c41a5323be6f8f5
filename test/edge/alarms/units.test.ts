import { expect, test } from 'vitest';
import { unbelieved } from '#edge/rules/plausibility.ts';
import { holds } from '#edge/rules/threshold.ts';
import { DEVICE_KINDS, type DeviceKind, validatePayload } from '#grid/mod.ts';

const UNITS = 1000;

/** The rules of the city that a sample in other units would raise; `doubting`: as the edge judges it, or value by value. */
function raised(kind: DeviceKind, doubting: boolean): string[] {
  const other = Object.entries(kind.example).map(([name, value]) => [name, typeof value === 'number' ? value * UNITS : value]);
  const checked = validatePayload(kind, Object.fromEntries(other));
  if (!checked.ok) throw new Error(checked.reason);
  const { fields, implausible } = checked.value;
  const excluded = doubting ? unbelieved(fields, implausible) : implausible;
  const believed = Object.fromEntries(Object.entries(fields).filter(([name]) => !excluded.includes(name)));
  return kind.rules.filter(({ when }) => holds(when, believed)).map(({ id }) => id);
}

test('a device that speaks in other units raises nothing of the city, though some of what it says could be', () => {
  const [valueByValue, doubted] = [false, true].map((doubting) => DEVICE_KINDS.flatMap((kind) => raised(kind, doubting)));
  expect(valueByValue).toContain('leakage');
  expect(doubted).toEqual([]);
});

test('one sensor, or a board of them, that is broken takes nothing from what the others say', () => {
  const gases = ['ch4_pct_lel', 'h2s_ppm', 'co_ppm', 'o2_pct'];
  const fields = { tilt_deg: 95, water_level_m: 0.2, battery_v: 3.6, rssi: -70, temperature_c: 20, open: true };
  const all = { ...fields, ...Object.fromEntries(gases.map((name) => [name, 9999])) };
  expect(unbelieved(all, gases)).toEqual(gases);
  expect(unbelieved({ tilt_deg: 95, temperature_c: -127 }, ['temperature_c'])).toEqual(['temperature_c']);
  expect(unbelieved({ tilt_deg: 95, temperature_c: 20_000, rssi: -70_000, open: true }, ['temperature_c', 'rssi'])).toEqual([
    'tilt_deg',
    'temperature_c',
    'rssi',
  ]);
});
