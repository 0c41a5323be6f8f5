import { expect, test } from 'vitest';
import { addUp, compareDevice, Ledger } from '#simulators/report/mod.ts';

const stored = (...seqs: number[]) => seqs.map((seq) => ({ seq, intact: true }));

test('acknowledgements come in any order and twice, and make few runs', () => {
  const ledger = new Ledger();
  expect([ledger.issue('d', 10), ledger.issue('d', 10), ledger.issue('d', 10)]).toEqual([1, 11, 21]);
  for (const [first, last] of [
    [21, 30],
    [1, 10],
    [1, 10],
    [11, 20],
  ] as const)
    ledger.ack('d', first, last);
  expect([ledger.ackedBy('d'), ledger.acked, ledger.sent]).toEqual([[{ first: 1, last: 30 }], 30, 30]);
  expect(() => ledger.ack('d', 31, 31)).toThrow(RangeError);
});

test('lost, duplicated and unexpected are told apart', () => {
  const ledger = new Ledger();
  ledger.issue('d', 8);
  ledger.ack('d', 1, 5);
  // 6 to 8 are in doubt: stored or not, both is right.
  const found = compareDevice(ledger, 'd', [...stored(1, 2, 2, 2, 5, 6, 9, Number.NaN), { seq: 3, intact: false }]);
  expect(found).toEqual({
    stored: 9,
    lost: 2,
    duplicated: 2,
    unexpected: 3,
    examples: ['lost d: 3-4', 'duplicated d: 2', 'unexpected d: 9, NaN, 3'],
  });
});

test('what is exactly there is neither', () => {
  const ledger = new Ledger();
  ledger.issue('a', 2);
  ledger.issue('b', 1);
  ledger.ack('a', 1, 2);
  ledger.ack('b', 1, 1);
  const sum = addUp([compareDevice(ledger, 'a', stored(2, 1)), compareDevice(ledger, 'b', stored(1))]);
  expect(sum).toEqual({ stored: 3, lost: 0, duplicated: 0, unexpected: 0, examples: [] });
});
