import { Segmented, Select } from 'antd';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { CatalogueKind, RangeAnswer } from '#grid/api/mod.ts';
import { useThing, withQuery } from '../../api/mod.ts';
import { Chart, Nothing, Panel, pickLabel, type Series, Shown } from '../../parts/chart_parts.ts';

const HOUR_MS = 3_600_000;
const RANGES = { hour: HOUR_MS, day: 24 * HOUR_MS, week: 168 * HOUR_MS, month: 720 * HOUR_MS, year: 8760 * HOUR_MS } as const;
type Range = keyof typeof RANGES;
/** More than a wide screen has pixels is drawn for nobody. */
const POINTS_MAX = 2_000;
const RENEW_MS = 10_000;

/** One field of a sensor over time, with the thresholds of its kind. */
export function Readings({ device, kind }: { device: string; kind: CatalogueKind }) {
  const { t } = useTranslation();
  const [range, setRange] = useState<Range>('hour');
  const [field, setField] = useState(kind.fields[0]?.name ?? '');
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
          <Segmented
            aria-label={t('devices.range')}
            value={range}
            onChange={setRange}
            options={(Object.keys(RANGES) as Range[]).map((value) => ({ value, label: t(`devices.${value}`) }))}
          />
        </span>
      }
    >
      {spec && <Curve key={`${field} ${range}`} device={device} kind={kind} spec={spec} range={range} />}
    </Panel>
  );
}

function Curve({
  device,
  kind,
  spec,
  range,
}: {
  device: string;
  kind: CatalogueKind;
  spec: CatalogueKind['fields'][number];
  range: Range;
}) {
  const { t } = useTranslation();
  const [opened] = useState(() => Math.ceil(Date.now() / RENEW_MS) * RENEW_MS);
  const { path, window } = pathOf(device, spec.name, range, opened);
  const asked = useThing<RangeAnswer>(['devices', 'readings', device, spec.name, range], path, RENEW_MS);
  const thresholds = useMemo(() => thresholdsOf(kind, spec.name), [kind, spec.name]);
  return (
    <Shown of={asked} rows={6}>
      {(answer) => {
        const series = seriesOf(answer, spec.name);
        if (series.x.length === 0) return <Nothing text={t('devices.noReadings')} />;
        return (
          <>
            <Chart
              label={`${pickLabel(spec)} ${spec.unit}`}
              unit={spec.unit}
              series={series}
              steps={spec.type === 'boolean'}
              thresholds={thresholds}
              window={window}
            />
            <p className="dim small">
              {t('devices.resolution', { r: answer.resolution === 'raw' ? t('devices.raw') : answer.resolution })}
              {thresholds.length > 0 && ` · ${t('devices.threshold')}: ${thresholds.join(', ')} ${spec.unit}`}
              {answer.truncated && ` · ${t('devices.truncated')}`}
            </p>
          </>
        );
      }}
    </Shown>
  );
}

/** The end lies a little ahead and moves with each renewal, so that the newest reading is in it. */
function pathOf(device: string, field: string, range: Range, opened: number): { path: string; window: [number, number] } {
  const to = Math.max(opened, Math.ceil(Date.now() / RENEW_MS) * RENEW_MS);
  const from = to - RANGES[range];
  const path = withQuery('/api/v1/readings', { device, from, to, fields: field, limit: POINTS_MAX });
  return { path, window: [from / 1000, to / 1000] };
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
