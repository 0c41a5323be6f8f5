import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseLine, toLine } from '#grid/wire/mod.ts';
import { LineScanner, scanReadings } from '#ingest/lines/mod.ts';

const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/);
const value = fc.oneof(fc.boolean(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer());
const reserved = ['time', 'cell', 'device', 'edge', '__proto__'];
const reading = fc.record({
  kind: id,
  device: id,
  edge: id,
  cell: fc.stringMatching(/^\d{15}$/),
  ts: fc.integer({ min: 0, max: 9_999_999_999_999 }),
  us: fc.integer({ min: 0, max: 999 }),
  fields: fc.dictionary(
    id.filter((name) => !reserved.includes(name)),
    value,
    { minKeys: 1, maxKeys: 12 },
  ),
});

test('takes every line that the edge makes, and finds its parts', () => {
  const scan = new LineScanner();
  fc.assert(
    fc.property(reading, fc.string({ maxLength: 20 }), (r, around) => {
      const line = toLine(r);
      const bytes = Buffer.from(`${around}\n${line}\n${around}`);
      const text = bytes.toString('latin1');
      const start = Buffer.byteLength(around) + 1;
      expect(scan.scan(bytes, start, start + line.length)).toBeNull();
      expect(text.slice(start, scan.kindEnd)).toBe(r.kind);
      expect(text.slice(scan.deviceStart, scan.deviceEnd)).toBe(r.device);
      expect(text.slice(scan.edgeStart, scan.edgeEnd)).toBe(r.edge);
      expect([scan.ts, scan.us]).toEqual([r.ts, r.us]);
      const names = Array.from({ length: scan.fieldCount }, (_, i) => text.slice(scan.nameStart[i], scan.nameEnd[i]));
      expect(names).toEqual(Object.keys(r.fields));
    }),
  );
});

test('never takes what parseLine refuses, nor refuses what it takes without naming a reason of its own', () => {
  const scan = new LineScanner();
  const own = /twice|reserved|more than/;
  const mutated = fc.tuple(
    reading,
    fc.nat(),
    fc.constantFrom('', ',', ' ', '=', '\n', '"', '\\', 'e9', '-', '.', 'true', '\u0000', '井', 'a=1,'),
    fc.nat({ max: 3 }),
  );
  fc.assert(
    fc.property(mutated, ([r, at, insert, remove]) => {
      const line = toLine(r);
      const cut = at % (line.length + 1);
      const text = line.slice(0, cut) + insert + line.slice(cut + remove);
      const fault = scan.scan(Buffer.from(text), 0, Buffer.byteLength(text));
      const plain = parseLine(text.split('\n')[0] as string);
      if (fault === null) expect(plain).not.toHaveProperty('fault');
      else if (!own.test(fault)) expect(plain).toHaveProperty('fault');
    }),
    { numRuns: 3000 },
  );
});

test('what it learned from the lines before changes no verdict', () => {
  const names = fc.array(fc.constantFrom('a', 'b', 'ab', 'seq', 'time', 'abc'), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(names, { minLength: 2, maxLength: 8 }), (lines) => {
      const scan = new LineScanner();
      for (const fields of lines) {
        const text = Buffer.from(
          `k,cell=110101001001017,device=d,edge=e ${fields.map((f) => `${f}=1`).join(',')} 1736889600000012`,
        );
        expect(scan.scan(text, 0, text.length)).toBe(new LineScanner().scan(text, 0, text.length));
      }
    }),
  );
});

test('a block knows each hour that its lines touch, by kind, whatever stands between them', () => {
  const hours = fc.array(
    fc.record({
      kind: fc.constantFrom('a', 'b', 'streetlight'),
      cell: fc.constantFrom('110101001001017', '110101001001018'),
      ts: fc.constantFrom(1_736_889_600_000, 1_736_889_600_000 - 1, 1_736_899_600_000, 1_000),
    }),
    { minLength: 1, maxLength: 40 },
  );
  fc.assert(
    fc.property(fc.array(hours, { minLength: 1, maxLength: 3 }), (bodies) => {
      for (const lines of bodies) {
        const text = lines.map((r) => toLine({ ...r, device: 'd', edge: 'e', us: 0, fields: { v: 1 } })).join('\n');
        const block = scanReadings(Buffer.from(text), { tsMax: 1_800_000_000_000 }, () => {});
        const wanted = new Map<string, Set<number>>();
        for (const { kind, ts } of lines.filter((l) => l.ts > 1_000))
          wanted.set(kind, (wanted.get(kind) ?? new Set()).add(ts - (ts % 3_600_000)));
        expect(block?.hours ?? new Map()).toEqual(wanted);
      }
    }),
  );
});

test('a line of many fields costs one refusal, not the process', () => {
  const fields = Array.from({ length: 129 }, (_, i) => `f${i}=1`).join(',');
  const text = `k,cell=110101001001017,device=d,edge=e ${fields} 1`;
  expect(new LineScanner().scan(Buffer.from(text), 0, text.length)).toBe('more than 128 fields');
});
