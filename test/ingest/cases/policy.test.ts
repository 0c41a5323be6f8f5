import { describe, expect, it } from 'vitest';
import type { FilingPolicy } from '#grid/mod.ts';
import { dayOf } from '#ingest/cases/numbers.ts';
import { DEFAULT_FILING_POLICY, filingMode } from '#ingest/cases/policy.ts';
import { openCover, stall } from './fixture.ts';

const policy = (rules: FilingPolicy['rules']): FilingPolicy => ({ version: 1, default: 'propose', rules });

describe('filing policy', () => {
  it('the longest match wins, wherever it stands', () => {
    const rules: FilingPolicy['rules'] = [
      { class: '1:*', mode: 'verify-first' },
      { class: '1:0102:cover_open', mode: 'file-at-once' },
      { class: '1:0102', mode: 'propose' },
    ];
    for (const order of [rules, [...rules].reverse()]) {
      expect(filingMode(policy(order), openCover('a').data)).toBe('file-at-once');
      expect(filingMode(policy(order), openCover('a', 1, { class: { flag: 1, code: '0102', fault: 'tilted' } }).data)).toBe(
        'propose',
      );
      expect(filingMode(policy(order), openCover('a', 1, { class: { flag: 1, code: '0118', fault: 'lamp_out' } }).data)).toBe(
        'verify-first',
      );
      expect(filingMode(policy(order), stall('s').data)).toBe('propose');
    }
  });

  it('among matches of one length, conditions count, then the first', () => {
    const rules: FilingPolicy['rules'] = [
      { class: '1:*', mode: 'propose' },
      { class: '1:*', mode: 'verify-first' },
      { class: '1:*', by: 'sensor', severity: 'critical', mode: 'file-at-once' },
    ];
    expect(filingMode(policy(rules), openCover('a').data)).toBe('file-at-once');
    expect(filingMode(policy(rules), openCover('a', 1, { severity: 'low' }).data)).toBe('propose');
  });

  it('a fault may be named for every code', () => {
    const rules: FilingPolicy['rules'] = [{ class: '1:*:cover_open', mode: 'file-at-once' }];
    expect(filingMode(policy(rules), openCover('a').data)).toBe('file-at-once');
    expect(filingMode(policy(rules), openCover('a', 1, { class: { flag: 1, code: '0102', fault: 'tilted' } }).data)).toBe(
      'propose',
    );
  });

  it('as shipped: critical sensor faults at once, other sensors propose, cameras never file', () => {
    const mode = (e: ReturnType<typeof stall>) => filingMode(DEFAULT_FILING_POLICY, e.data);
    expect(mode(openCover('a'))).toBe('file-at-once');
    expect(mode(openCover('a', 1, { severity: 'high' }))).toBe('propose');
    expect(mode(stall('s', 1, { severity: 'critical', class: { flag: 1, code: '0102', fault: 'cover_open' } }))).toBe(
      'verify-first',
    );
    expect(mode(stall('s'))).toBe('propose');
    expect(mode(stall('s', 1, { class: { flag: 2, code: '0101' } }))).toBe('verify-first');
  });
});

describe('day of a case number', () => {
  it('is the city’s, not the server’s', () => {
    const lateEvening = Date.UTC(2026, 10, 22, 16, 0, 0);
    expect(dayOf(lateEvening, 'Asia/Shanghai')).toBe('20261123');
    expect(dayOf(lateEvening - 1, 'Asia/Shanghai')).toBe('20261122');
    expect(dayOf(lateEvening, 'UTC')).toBe('20261122');
  });
});
