import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  COMPONENT_CLASSES,
  caseNumber,
  EVENT_CLASSES,
  parseCellCode,
  parseComponentCode,
  parseEventClassCode,
} from '#grid/mod.ts';
import vectors from './code_vectors.json' with { type: 'json' };

const PARSERS = { component: parseComponentCode, grid: parseCellCode, event: parseEventClassCode } as const;

test.each(vectors)('$kind $code', ({ kind, code, valid, reason }) => {
  const parsed = PARSERS[kind as keyof typeof PARSERS](code);
  expect(parsed.ok ? '' : parsed.fault).toBe(reason);
  expect(parsed.ok).toBe(valid);
});

test('the catalogue has 85 component classes and 54 event classes', () => {
  expect(COMPONENT_CLASSES.size).toBe(85);
  expect(EVENT_CLASSES.size).toBe(54);
});

test('any text is parsed or refused, and what is accepted keeps its parts', () => {
  const digits = (n: number) => fc.stringMatching(new RegExp(`^[0-9]{${n}}$`));
  fc.assert(
    fc.property(fc.oneof(digits(16), digits(15), fc.string()), (code) => {
      const component = parseComponentCode(code);
      if (component.ok) expect(component.value.division + component.value.class + component.value.serial).toBe(code);
      const cell = parseCellCode(code);
      if (cell.ok) expect(cell.value.division + cell.value.street + cell.value.community + cell.value.sequence).toBe(code);
    }),
    { numRuns: 2000 },
  );
});

test('a case number never wraps', () => {
  expect(caseNumber('210283', '20261123', 42)).toBe('2102832026112300042');
  for (const serial of [0, 100_000, 1.5, Number.NaN]) expect(() => caseNumber('210283', '20261123', serial)).toThrow(RangeError);
});
