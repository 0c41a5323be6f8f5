import { Button, Segmented, Select } from 'antd';
import { type KeyboardEvent, type ReactNode, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { CatalogueKind, RangeAnswer } from '#grid/api/mod.ts';
import { useThing, withQuery } from '../../api/mod.ts';
import { Chart, Moment, Nothing, Panel, pickLabel, type Series, Shown, useFilter } from '../../parts/chart_parts.ts';

const HOUR_MS = 3_600_000;
const RANGES = { hour: HOUR_MS, day: 24 * HOUR_MS, week: 168 * HOUR_MS, month: 720 * HOUR_MS, year: 8760 * HOUR_MS } as const;
type Range = keyof typeof RANGES;
/** More than a wide screen has pixels is drawn for nobody. */
const POINTS_MAX = 2_000;
const RENEW_MS = 10_000;

/** UTC ms. */
type Span = readonly [from: number, to: number];
const SPAN_MS_MIN = 10_000;

/** One field of a sensor over time, with the thresholds of its kind. Where one looks stands in the URL, so that it can be sent to a colleague. */
export function Readings({ device, kind }: { device: string; kind: CatalogueKind }) {
  const { t } = useTranslation();
  const [range = 'hour', setRange] = useRange();
  const [field = kind.fields[0]?.name ?? '', setField] = useFilter('field');
  const spec = kind.fields.find((f) => f.name === field);
  return (
    <Panel
      title={t('devices.readings')}
      beside={
        <span className="page-beside">
          <Select
            aria-label={t('field.value')}
            value={field}
            onChange={setField}
            popupMatchSelectWidth={false}
            options={kind.fields.map((f) => ({ value: f.name, label: pickLabel(f) }))}
          />
          <Segmented<string>
            aria-label={t('devices.range')}
            value={range}
            onChange={setRange}
            options={Object.keys(RANGES).map((value) => ({ value, label: t(`devices.${value as Range}`) }))}
          />
        </span>
      }
    >
      {spec && <Curve key={field} device={device} kind={kind} spec={spec} range={range} onRange={setRange} />}
    </Panel>
  );
}

/** `hour`, or `1764400000000-1764403600000` while one has zoomed. */
function useRange(): [string | undefined, (range: string) => void] {
  const [text, set] = useFilter('range');
  const known = text !== undefined && (Object.hasOwn(RANGES, text) || spanIn(text) !== null);
  return [known ? text : undefined, set];
}

function spanIn(text: string): Span | null {
  const [from = 0, to = 0] = /^\d{1,15}-\d{1,15}$/.test(text) ? text.split('-').map(Number) : [];
  return to - from >= SPAN_MS_MIN && to - from <= RANGES.year ? [from, to] : null;
}

/** A span of so long around a moment, as it stands in the URL; within what may be asked for. */
function spanAround(middle: number, ms: number): string {
  const length = Math.min(RANGES.year, Math.max(SPAN_MS_MIN, ms));
  const from = Math.max(0, Math.round(middle - length / 2));
  return `${from}-${from + Math.round(length)}`;
}

function Curve({
  device,
  kind,
  spec,
  range,
  onRange,
}: {
  device: string;
  kind: CatalogueKind;
  spec: CatalogueKind['fields'][number];
  range: string;
  onRange: (range: string) => void;
}) {
  const { t } = useTranslation();
  const [opened] = useState(() => Math.ceil(Date.now() / RENEW_MS) * RENEW_MS);
  const [from, to] = spanIn(range) ?? upToNow(range as Range, opened);
  const path = withQuery('/api/v1/readings', { device, from, to, fields: spec.name, limit: POINTS_MAX });
  const asked = useThing<RangeAnswer>(
    ['devices', 'readings', device, spec.name, range],
    path,
    to > Date.now() ? RENEW_MS : undefined,
  );
  // Until the finer ones are there, what was shown before is.
  const before = useRef<RangeAnswer>(undefined);
  before.current = asked.data ?? before.current;
  const answer = before.current;
  const thresholds = useMemo(() => thresholdsOf(kind, spec.name), [kind, spec.name]);
  const series = useMemo(() => (answer === undefined ? null : seriesOf(answer, spec.name)), [answer, spec.name]);
  const zoom = ([first, last]: Span) => onRange(spanAround((first + last) / 2, last - first));
  return (
    <Zooming span={[from, to]} onZoom={zoom}>
      <Shown of={{ ...asked, data: answer }} rows={6}>
        {({ resolution, truncated }) => (
          <>
            {series === null || series.x.length === 0 ? (
              <Nothing text={t('devices.noReadings')} />
            ) : (
              <Chart
                label={`${pickLabel(spec)} ${spec.unit}`}
                unit={spec.unit}
                series={series}
                steps={spec.type === 'boolean'}
                thresholds={thresholds}
                window={[from / 1000, to / 1000]}
                onZoom={(wanted) => (wanted === null ? zoom(twice([from, to])) : zoom([wanted[0] * 1000, wanted[1] * 1000]))}
              />
            )}
            <p className="dim small">
              {t('devices.resolution', { r: resolution === 'raw' ? t('devices.raw') : resolution })}
              {thresholds.length > 0 && ` · ${t('devices.threshold')}: ${thresholds.join(', ')} ${spec.unit}`}
              {truncated && ` · ${t('devices.truncated')}`}
            </p>
          </>
        )}
      </Shown>
    </Zooming>
  );
}

const twice = ([from, to]: Span): Span => [from - (to - from) / 2, to + (to - from) / 2];
const half = ([from, to]: Span): Span => [from + (to - from) / 4, to - (to - from) / 4];
const moved = ([from, to]: Span, share: number): Span => [from + (to - from) * share, to + (to - from) * share];

/** What one does with a chart without a mouse: buttons, and the same by keys while one of them has the focus. */
const ZOOMS = [
  { name: 'zoomIn', sign: '+', keys: ['+', '='], to: half },
  { name: 'zoomOut', sign: '−', keys: ['-'], to: twice },
  { name: 'earlier', sign: '‹', keys: ['ArrowLeft'], to: (span: Span) => moved(span, -0.5) },
  { name: 'later', sign: '›', keys: ['ArrowRight'], to: (span: Span) => moved(span, 0.5) },
] as const;

function Zooming({ span, onZoom, children }: { span: Span; onZoom: (span: Span) => void; children: ReactNode }) {
  const { t } = useTranslation();
  const onKey = (e: KeyboardEvent) => {
    const zoom = ZOOMS.find(({ keys }) => (keys as readonly string[]).includes(e.key));
    if (zoom === undefined) return;
    e.preventDefault();
    onZoom(zoom.to(span));
  };
  return (
    <>
      <div className="zooming" role="toolbar" aria-label={t('devices.zoom')} onKeyDown={onKey}>
        {ZOOMS.map(({ name, sign, to }) => (
          <Button
            key={name}
            size="small"
            aria-label={t(`devices.${name}`)}
            title={t(`devices.${name}`)}
            onClick={() => onZoom(to(span))}
          >
            {sign}
          </Button>
        ))}
        <span className="dim small">
          <Moment at={span[0]} /> – <Moment at={span[1]} />
        </span>
      </div>
      {children}
    </>
  );
}

/** The end lies a little ahead and moves with each renewal, so that the newest reading is in it. */
function upToNow(range: Range, opened: number): Span {
  const to = Math.max(opened, Math.ceil(Date.now() / RENEW_MS) * RENEW_MS);
  return [to - RANGES[range], to];
}

/** Means with the band between least and greatest where the answer is aggregated. */
function seriesOf(answer: RangeAnswer, field: string): Series {
  const x: number[] = [];
  const y: number[] = [];
  const low: number[] = [];
  const high: number[] = [];
  if (answer.resolution === 'raw') {
    for (const point of answer.points) {
      const value = point.fields[field];
      if (value === undefined) continue;
      x.push(point.ts / 1000);
      y.push(Number(value));
    }
    return { x, y, band: null };
  }
  for (const point of answer.points) {
    const value = point.fields[field];
    if (value === undefined) continue;
    x.push(point.ts / 1000);
    y.push(value.mean);
    low.push(value.min);
    high.push(value.max);
  }
  return { x, y, band: { low, high } };
}

function thresholdsOf(kind: CatalogueKind, field: string): number[] {
  const values = kind.rules.flatMap((rule) =>
    rule.when.flatMap((c) => (c.field === field && typeof c.value === 'number' ? [c.value] : [])),
  );
  return [...new Set(values)].sort((a, b) => a - b);
}
