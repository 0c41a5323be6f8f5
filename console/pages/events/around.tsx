import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { EventAnswer, RangeAnswer } from '#grid/api/mod.ts';
import { useCatalogue, useThing, withQuery } from '../../api/mod.ts';
import { Chart, Nothing, pickLabel, Shown } from '../../parts/chart_parts.ts';

const BEFORE_MS = 15 * 60_000;
const AFTER_MS = 5 * 60_000;
const POINTS_MAX = 1_000;

/** What a sensor measured around its alarm: for such an event this is the evidence. */
export default function Around({ event }: { event: EventAnswer }) {
  const { t } = useTranslation();
  const catalogue = useCatalogue();
  const { origin, startedAt, confirmedAt } = event.record.data;
  const sensor = origin.by === 'sensor' ? origin : null;
  const asked = useThing<RangeAnswer>(
    ['devices', 'around', event.record.subject],
    sensor &&
      withQuery('/api/v1/readings', {
        device: sensor.device,
        from: startedAt - BEFORE_MS,
        to: confirmedAt + AFTER_MS,
        fields: sensor.field,
        resolution: 'raw',
        limit: POINTS_MAX,
      }),
  );
  const kind = catalogue?.deviceKinds.find((k) => k.kind === sensor?.kind);
  const spec = kind?.fields.find((f) => f.name === sensor?.field);
  const thresholds = useMemo(() => {
    const conditions = kind?.rules.find((r) => r.id === sensor?.rule)?.when ?? [];
    return conditions.flatMap((c) => (c.field === sensor?.field && typeof c.value === 'number' ? [c.value] : []));
  }, [kind, sensor?.rule, sensor?.field]);
  return (
    <Shown of={asked} rows={4}>
      {(answer) => {
        const points = answer.resolution === 'raw' ? answer.points : [];
        const known = points.filter((p) => sensor !== null && p.fields[sensor.field] !== undefined);
        if (known.length === 0 || sensor === null) return <Nothing text={t('devices.noReadings')} />;
        const series = { x: known.map((p) => p.ts / 1000), y: known.map((p) => Number(p.fields[sensor.field])), band: null };
        const name = spec ? pickLabel(spec) : sensor.field;
        return (
          <>
            <p className="dim small">{t('events.reading')}</p>
            <Chart
              label={name}
              unit={spec?.unit ?? ''}
              series={series}
              steps={spec?.type === 'boolean'}
              thresholds={thresholds}
              height={220}
              window={[(startedAt - BEFORE_MS) / 1000, (confirmedAt + AFTER_MS) / 1000]}
            />
          </>
        );
      }}
    </Shown>
  );
}
