import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { GewuError } from '#service/mod.ts';
import { mapping } from '../../cli/mapping.ts';
import { validate } from '../../cli/validate.ts';
import { tempDir } from '../support/temp.ts';

const GEWU = join(import.meta.dirname, '../../gewu');
const EXAMPLES = join(import.meta.dirname, '../../grid/mapping/examples');
const file = (name: string) => join(EXAMPLES, name);

/** The command in this process: a start of Node each time would be most of the test. */
async function run(command: typeof mapping, ...args: string[]): Promise<{ code: number; stdout: string }> {
  let stdout = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += text;
    return true;
  });
  try {
    return { code: await command.run(args), stdout };
  } finally {
    write.mockRestore();
  }
}

const tryExample = (name: string, ...flags: string[]) =>
  run(mapping, 'test', file(`${name}.yaml`), file(`${name}.sample.json`), ...flags);

test('as a user runs it', async () => {
  const args = ['mapping', 'test', file('hydrant-push.yaml'), file('hydrant-push.sample.json')];
  const stdout = await new Promise<string>((resolve, reject) => {
    execFile(GEWU, args, { timeout: 30_000 }, (error, out) => (error ? reject(error) : resolve(out)));
  });
  expect(stdout).toContain('fh-868120301234567  2025-01-15T00:00:00.000Z  seq 41\n  pressure_mpa     0.28 MPa\n');
  expect(stdout).toContain('2 reading(s), 0 fault(s)');
}, 30_000);

test('the example of a manhole cover by MQTT', async () => {
  const { code, stdout } = await tryExample('manhole-cover', '--json', '--topic', 'city/shanghai/well/status/well_0x7a3b');
  expect(JSON.parse(stdout)).toEqual({
    readings: [
      {
        device: 'well_0x7a3b',
        ts: 1_736_889_600_000,
        seq: null,
        fields: { tilt_deg: 22.4, displaced: true },
        firmware: '2.1.7',
        unusable: [],
      },
    ],
    faults: [],
    unnamed: ['device_id', 'battery'],
  });
  expect(code).toBe(0);
});

test('the example of a hydrant platform by HTTP', async () => {
  const { code, stdout } = await tryExample('hydrant-push', '--json');
  const { readings, faults } = JSON.parse(stdout) as { readings: { device: string; fields: object }[]; faults: unknown[] };
  expect([code, faults]).toEqual([0, []]);
  expect(readings.map((r) => r.device)).toEqual(['fh-868120301234567', 'fh-868120301234568']);
  expect(readings[0]).toMatchObject({
    ts: Date.UTC(2025, 0, 15),
    seq: 41,
    fields: { pressure_mpa: 0.28, cap_open: false, rssi: -88 },
  });
  expect(readings[1]).toMatchObject({ fields: { knocked_over: true, struck: true, battery_v: 3.41 } });
  expect(readings[1]?.fields).not.toHaveProperty('water_temp_c');
});

test('the example of a LoRaWAN network server, as people see it', async () => {
  const { code, stdout } = await tryExample('lorawan-tilt', '--topic', 'application/17/device/24e124713c140041/event/up');
  expect(code).toBe(0);
  expect(stdout).toBe(
    `${[
      'mc-24e124713c140041  2025-01-15T00:00:00.123Z  seq 1042',
      '  tilt_deg         0 °',
      '  rssi             -97 dBm',
      'not used: angle_x, beyond_x, angle_y, beyond_y, beyond_z, deviceInfo, fPort',
      '1 reading(s), 0 fault(s)',
    ].join('\n')}\n`,
  );
});

test('faults are shown with their codes, and make the status 1', async () => {
  const sample = join(await tempDir(), 'sample.json');
  const bad = [
    { DeviceId: 'a', Water: 'n/a' },
    { DeviceId: 'b', Voltage: 3 },
    { DeviceId: 'c', Water: 0.3, SendNumber: 2 ** 33 },
    { DeviceId: 'd', Water: 0.3, WaterStatus: 7 },
  ];
  await writeFile(sample, JSON.stringify(bad));
  const { code, stdout } = await run(mapping, 'test', file('hydrant-push.yaml'), sample);
  expect(code).toBe(1);
  expect(stdout).toContain('GEWU_CODEC_FAULT: a: Water: a number is wanted');
  expect(stdout).toContain('GEWU_MAPPING_FAULT: fh-b: pressure_mpa: Water is missing');
  expect(stdout).toContain('GEWU_READING_TYPE: fh-c: seq');
  expect(stdout).toContain('water_present    left out');
  expect(stdout).toContain('1 reading(s), 3 fault(s)');
});

test('wrong use is told with a code that has the status 2', async () => {
  const well = [file('manhole-cover.yaml'), file('manhole-cover.sample.json')] as const;
  for (const [args, code, says] of [
    [[], 'GEWU_USAGE', /mapping test FILE SAMPLE/],
    [['test', well[0]], 'GEWU_USAGE', /mapping test FILE SAMPLE/],
    [['test', ...well], 'GEWU_USAGE', /the device is in the topic/],
    [['test', ...well, '--topic', 'city/x'], 'GEWU_USAGE', /--topic city\/x: the mapping reads city/],
    [['test', well[0], '/nowhere.json', '--topic', 'city/a/well/status/b'], 'GEWU_CONFIG_UNREADABLE', /nowhere/],
  ] as const) {
    const error = await run(mapping, ...args).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(GewuError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(says) });
  }
});

test('validate takes mappings, and names key and value of every mistake', async () => {
  const good = await run(validate, file('hydrant-push.yaml'));
  expect(good).toEqual({ code: 0, stdout: expect.stringContaining('a mapping, valid: hydrant-push by HTTP on /push/hydrants') });
  const bad = join(await tempDir(), 'mapping.yaml');
  await writeFile(
    bad,
    'version: 1\nmapping: x\nfrom: { topic: "a/{id}" }\ncodec: json\ndevice: { placeholder: it }\nfields: { tilt: { path: t } }\n',
  );
  const error = (await run(validate, bad).catch((e: unknown) => e)) as GewuError;
  expect(error.code).toBe('GEWU_CONFIG_INVALID');
  expect(error.message).toContain('device.placeholder: "it": the topic has no {it}');
  expect(error.message).toContain('fields.tilt: "tilt": no kind of device has such a field');
});
