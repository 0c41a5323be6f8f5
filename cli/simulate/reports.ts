import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { GewuError } from '#service/mod.ts';
import { compareReports, mergeReports, noEvents, type RunReport } from '#simulators/report/mod.ts';
import { parseFlags, print, say } from '../command.ts';
import { tell } from './run.ts';

export const REPORTS_USAGE = `gewu simulate merge REPORT REPORT ... [--report DIR] [--json]
       gewu simulate compare BEFORE AFTER [--json]`;

const REPORTS_MAX = 1_000;

/** What reports of earlier versions did not say. */
const NOT_YET = {
  target: '',
  moreTrouble: 0,
  content: { compared: 0, altered: 0, examples: [] },
  events: noEvents('an earlier version did not compare events'),
};

/** A report by its file, or by the folder that `--report` named. Throws GEWU_CONFIG_UNREADABLE, GEWU_CONFIG_INVALID. */
async function readReport(path: string): Promise<RunReport> {
  try {
    const isFolder = (await stat(path)).isDirectory();
    const report = JSON.parse(await readFile(isFolder ? join(path, 'report.json') : path, 'utf8')) as RunReport;
    if (report.version !== 1 || report.readings === undefined)
      throw new GewuError('GEWU_CONFIG_INVALID', `${path} is no report of a run`);
    return { ...NOT_YET, ...report, events: { ...NOT_YET.events, ...report.events } };
  } catch (error) {
    if (error instanceof GewuError) throw error;
    throw new GewuError('GEWU_CONFIG_UNREADABLE', `${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Several generators of one run become one report, which is judged anew. */
export async function merge(args: readonly string[]): Promise<number> {
  const options = { report: { type: 'string' }, json: { type: 'boolean', default: false } } as const;
  const { values, positionals } = parseFlags(args, options, REPORTS_MAX);
  const reports = await Promise.all(positionals.map(readReport));
  const merged = fitting(() => mergeReports(reports));
  return tell(merged, { dir: values.report, json: values.json });
}

/** Throws GEWU_USAGE where reports do not fit together. */
function fitting<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) throw new GewuError('GEWU_USAGE', error.message, { cause: error });
    throw error;
  }
}

/** What got worse from one run to another. Exit status 1 when something did. */
export async function compare(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseFlags(args, { json: { type: 'boolean', default: false } }, 2);
  const [before, after] = positionals;
  if (before === undefined || after === undefined) throw new GewuError('GEWU_USAGE', 'two reports are needed');
  const reports = [await readReport(before), await readReport(after)] as const;
  const { differences, notes } = fitting(() => compareReports(...reports));
  const worse = differences.filter((d) => d.worse);
  for (const note of notes) say(`gewu: not the same: ${note}`);
  if (values.json) print(JSON.stringify({ worse: worse.map((d) => d.name), differences, notes }));
  else
    for (const d of differences)
      say(`${d.worse ? 'worse' : '     '}  ${d.name.padEnd(22)} ${shown(d.before)} -> ${shown(d.after)}`);
  return worse.length === 0 ? 0 : 1;
}

function shown(value: number | null): string {
  return value === null ? '-' : String(Number(value.toPrecision(4)));
}
