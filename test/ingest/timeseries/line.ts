import { toLine } from '#grid/wire/mod.ts';
import { scanReadings, TS_MAX } from '#ingest/lines/mod.ts';
import { ACCEPTED, type ReadingsSink, type Verdict } from '#ingest/ports.ts';

/** One canonical line, short to write in a test. */
export function line(
  device: string,
  ts: number,
  fields: Record<string, number | boolean>,
  { kind = 'manhole_cover', edge = 'edge-01', us = 0 } = {},
): string {
  return toLine({ kind, device, cell: '110101001001017', edge, ts, us, fields });
}

/** Lines the way they come, through the scanner into a store; what became of each. */
export async function writeLines(store: ReadingsSink, lines: readonly string[]): Promise<Verdict[]> {
  const verdicts = lines.map((): Verdict => ({ ok: false, code: 'GEWU_LINE_INVALID', reason: 'not scanned' }));
  // A line with a newline in it would become two.
  const whole = lines.map((l) => (l.includes('\n') ? 'newline' : l));
  const block = scanReadings(Buffer.from(whole.join('\n')), { tsMax: TS_MAX }, (index, _, reason) => {
    verdicts[index] = { ok: false, code: 'GEWU_LINE_INVALID', reason };
  });
  if (block === null) return verdicts;
  for (const { index } of block.lines()) verdicts[index] = ACCEPTED;
  const [refusals = []] = await store.write([block]);
  for (const { index, code, reason } of refusals) verdicts[index] = { ok: false, code, reason };
  return verdicts;
}
