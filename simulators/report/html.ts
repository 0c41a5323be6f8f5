import type { Usage } from '../target/mod.ts';
import { Histogram, type HistogramCounts } from './histogram.ts';
import { type IncidentOutcome, judgeRun, type RunReport } from './outcome.ts';
import { cpuSecondsOf, mostOf, unsaid } from './used.ts';

/** Of what is as it should be; the JSON has the rest. What is not stands here, all of it. */
const ROWS_MAX = 200;
const CHART = { width: 860, height: 180, left: 64, bottom: 22, top: 8 } as const;
const POINTS_MAX = 600;

/** The report as one page: no script, no font, no picture from elsewhere. */
export function reportHtml(report: RunReport): string {
  const verdict = judgeRun(report);
  const state = !verdict.valid ? ['无效 Invalid', 'bad'] : verdict.passed ? ['通过 Passed', 'good'] : ['未通过 Failed', 'bad'];
  const { curve, usage, readings, connections, latencies } = report;
  const begins = new Date(report.startedAt).toISOString();
  const sections = [
    `<h1>${esc(report.title.zh)} ${esc(report.title.en)}</h1>`,
    `<p class="${state[1]}">${state[0]}${report.interrupted ? ' · 中断 interrupted' : ''}</p>`,
    `<p>${esc(report.scenario)}, seed ${report.seed}, ${report.as}, ${begins}, ${report.durationS} s, ${report.city.edges} edges, ${report.city.devices} devices, ${report.city.cameras} cameras, parts ${esc(report.parts.join(', '))}</p>`,
    section(
      '阈值 Thresholds',
      ['', '上限 Limit', '实测 Measured', ''],
      verdict.checks.map((c) => [c.name, c.limit, c.measured ?? '未测 not measured', c.holds ? '✓' : '✗']),
    ),
    ...incidentSections(report),
    section('数据 Readings', Object.keys(readings), [Object.values(readings)]),
    ...contentSections(report),
    ...eventSections(report),
    section(
      '时延 Latency, ms',
      ['', 'p50', 'p95', 'p99', 'p99.9', 'max', 'n'],
      [
        percentiles('确认 acknowledged', latencies.ack),
        percentiles('立案可读 case readable', latencies.case),
        percentiles('视频立案可读 camera case readable', latencies.cameraCase),
        percentiles('发生器滞后 generator lag', latencies.lag),
      ],
    ),
    chart('速率 Rate, 1/s', [
      ['应发 due', curve.map((s) => [s.atS, s.due])],
      ['确认 acknowledged', curve.map((s) => [s.atS, s.acked])],
    ]),
    chart('确认时延 p99, ms', [['p99', curve.map((s) => [s.atS, s.p99Ms])]]),
    chart('未确认 Pending', [['pending', curve.map((s) => [s.atS, s.pending])]]),
    chart('发生器滞后 Generator lag, ms', [['lag', curve.map((s) => [s.atS, s.lagMsMax])]]),
    chart('中心 CPU Centre, cores', [['cpu', cores(usage.centre ?? [])]]),
    chart('中心内存 Centre memory, MiB', [
      ['rss', (usage.centre ?? []).flatMap((u) => (u.residentMb === null ? [] : [[u.atS, u.residentMb] as const]))],
    ]),
    section(
      '资源 Resources of the target',
      ['', 'CPU s', 'cores', 'memory MiB, max', 'event loop p99 ms, max'],
      Object.entries(usage).map(([name, points]) => [name, ...usedBy(points)]),
    ),
    ...unsaid(usage).map(remark),
    section('连接 Connections', Object.keys(connections), [Object.values(connections)]),
    ...deviceSections(report),
    section(
      '死信 Dead letters',
      ['hop', 'code', 'n'],
      report.deadLetters.map((d) => [d.hop, d.code, d.count]),
    ),
  ];
  return `<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>${esc(report.scenario)}</title><style>
body{font:14px/1.5 system-ui,sans-serif;max-width:900px;margin:2em auto;color:#222}table{border-collapse:collapse;margin:.5em 0}
td,th{border:1px solid #ddd;padding:2px 8px;text-align:right}td:first-child,th:first-child{text-align:left}.good{color:#177245}.bad{color:#b3261e}
p.good,p.bad{font-size:20px;font-weight:600}svg text{font-size:11px;fill:#555}h2{font-size:16px;margin:1.2em 0 .2em}
</style></head><body>
${sections.join('\n')}
</body></html>
`;
}

type Cell = string | number;

function section(title: string, head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const heading = title === '' ? '' : `<h2>${esc(title)}</h2>`;
  if (rows.length === 0) return heading === '' ? '' : `${heading}<p>-</p>`;
  const line = (tag: string, cells: readonly Cell[]) =>
    `<tr>${cells.map((c) => `<${tag}>${esc(shown(c))}</${tag}>`).join('')}</tr>`;
  return `${heading}<table>${line('th', head)}${rows.map((r) => line('td', r)).join('')}</table>`;
}

function percentiles(name: string, counts: HistogramCounts): Cell[] {
  const histogram = Histogram.of(counts);
  const at = (share: number) => histogram.percentile(share) ?? '-';
  return [name, at(0.5), at(0.95), at(0.99), at(0.999), histogram.max ?? '-', histogram.total];
}

/** What was missed and what was a false alarm first, every one of it. */
function incidentSections(report: RunReport): string[] {
  const { incidents, cameraIncidents } = judgeRun(report);
  const rank = (i: IncidentOutcome) => ['missed', 'false alarm'].indexOf(i.outcome);
  const [wrong, right] = [report.incidents.filter((i) => rank(i) >= 0), report.incidents.filter((i) => rank(i) < 0)];
  const rows = [...wrong.sort((a, b) => rank(a) - rank(b)), ...right.slice(0, ROWS_MAX)];
  return [
    section(
      '事件 Incidents',
      ['', 'staged', 'detected', 'missed', 'false alarms'],
      [
        ['传感器 sensors', ...Object.values(incidents)],
        ['视频 cameras', ...Object.values(cameraIncidents)],
      ],
    ),
    section(
      '',
      ['id', 'class', '', 'delay ms'],
      rows.map((i) => [i.id, i.class, i.outcome, i.delayMs ?? '-']),
    ),
    more(right.length - ROWS_MAX),
  ];
}

/** Sound devices have no row: all that is here is wrong, so all of it stands here. */
function deviceSections({ trouble, moreTrouble }: RunReport): string[] {
  return [
    section(
      '设备 Devices with losses, or not acknowledged',
      ['device', 'edge', 'sent', 'acked', 'stored', 'lost', 'duplicated', 'unexpected', 'altered', ''],
      trouble.map((d) => [
        ...[d.device, d.edge, d.sent, d.acked, d.stored, d.lost, d.duplicated, d.unexpected, d.altered],
        d.which.join('; '),
      ]),
    ),
    moreTrouble > 0 ? remark(`另有 ${moreTrouble} 台设备 and ${moreTrouble} more devices`) : '',
  ];
}

/** Sent values against stored ones. */
function contentSections({ content: { compared, altered, examples } }: RunReport): string[] {
  return [
    section('内容核对 Content compared', ['readings', 'altered'], [[compared, altered]]),
    section(
      '',
      ['device', 'seq', 'time', 'field', '发送 sent', '存储 stored'],
      examples.map((e) => [
        e.device,
        e.seq,
        new Date(e.ts).toISOString(),
        e.field,
        String(e.sent ?? '-'),
        String(e.stored ?? '-'),
      ]),
    ),
  ];
}

const EVENTS_BY = {
  generator: '由发生器发送 told by the generator',
  edges: '按边缘节点自己的计数 by the counters of the edges',
  nobody: '无从得知 nobody says how many were sent',
} as const;

function eventSections({ events: { by, notes, ...counts } }: RunReport): string[] {
  const cells = Object.values(counts).map((n) => n ?? '未知 not known');
  return [
    section('事件记录 Events, by revision', ['', ...Object.keys(counts)], [[EVENTS_BY[by], ...cells]]),
    ...notes.map(remark),
  ];
}

function remark(text: string): string {
  return `<p>${esc(text)}</p>`;
}

function more(count: number): string {
  return count > 0 ? remark(`其余 ${count} 行见 report.json: ${count} more rows are in report.json`) : '';
}

/** CPU seconds a second, from one look to the next. */
function cores(usage: readonly Usage[]): [number, number][] {
  const said = usage.flatMap(({ atS, cpuS }) => (cpuS === null ? [] : [{ atS, cpuS }]));
  return said.slice(1).map((u, i) => {
    const before = said[i] ?? u;
    return [u.atS, Math.max(0, (u.cpuS - before.cpuS) / Math.max(0.1, u.atS - before.atS))];
  });
}

/** CPU seconds, cores on average, most memory, worst event loop. */
function usedBy(points: readonly Usage[]): Cell[] {
  const cpuS = cpuSecondsOf(points);
  const forS = (points.at(-1)?.atS ?? 0) - (points[0]?.atS ?? 0);
  const share = cpuS === null ? null : cpuS / Math.max(1, forS);
  return [cpuS, share, mostOf(points, 'residentMb'), mostOf(points, 'eventLoopP99Ms')].map((value) => value ?? '-');
}

const COLOURS = ['#1a73e8', '#d9730d'];

function chart(title: string, series: readonly (readonly [string, readonly (readonly [number, number])[]])[]): string {
  const points = series.flatMap(([, list]) => list);
  if (points.length === 0) return '';
  const { width, height, left, bottom, top } = CHART;
  const xMax = Math.max(1, ...points.map(([x]) => x));
  const yMax = Math.max(1e-9, ...points.map(([, y]) => y));
  const x = (v: number) => (left + (v / xMax) * (width - left - 8)).toFixed(1);
  const y = (v: number) => (height - bottom - (v / yMax) * (height - bottom - top)).toFixed(1);
  const lines = series.map(([name, list], i) => {
    const step = Math.max(1, Math.ceil(list.length / POINTS_MAX));
    const kept = list.filter((_, n) => n % step === 0);
    const path = kept.map(([a, b]) => `${x(a)},${y(b)}`).join(' ');
    const colour = COLOURS[i % COLOURS.length];
    return `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${path}"/><text x="${width - 160}" y="${16 + 14 * i}" style="fill:${colour}">${esc(name)}</text>`;
  });
  const axis = `<path d="M${left} ${top}V${height - bottom}H${width - 8}" stroke="#999" fill="none"/><text x="4" y="${top + 10}">${esc(shown(yMax))}</text><text x="4" y="${height - bottom}">0</text><text x="${width - 50}" y="${height - 6}">${esc(shown(xMax))} s</text>`;
  return `<h2>${esc(title)}</h2><svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${esc(title)}">${axis}${lines.join('')}</svg>`;
}

function shown(value: Cell): string {
  if (typeof value === 'string') return value;
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3)));
}

function esc(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
