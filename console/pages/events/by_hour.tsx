import { lazy, Suspense, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { EventHoursAnswer } from '#grid/api/mod.ts';
import { useCatalogue, useThing, withQuery } from '../../api/mod.ts';
import { Nothing, Panel, pick, ScrollX, SelectFilter, Shown, useFilter, useNarrow, Waiting } from '../../parts/mod.ts';

const HeatMap = lazy(() => import('../../parts/heat_map.tsx'));
const DAYS = 28;
const RENEW_MS = 60_000;
const [WEEK_DAYS, DAY_HOURS] = [7, 24];
/** Any Monday. */
const MONDAY = new Date(2024, 0, 1);

/** When it happens: events of four weeks by day of the week and hour of the day, in the reader's time. Who goes round is sent by it. */
export function ByHour() {
  const { t, i18n } = useTranslation();
  const [by] = useFilter('by');
  const [ofClass] = useFilter('class');
  const asked = useThing<EventHoursAnswer>(
    ['event-hours', by ?? null, ofClass ?? null],
    withQuery('/api/v1/event-hours', { days: DAYS, by, class: ofClass }),
    RENEW_MS,
  );
  const week = useMemo(() => (asked.data === undefined ? null : weekOf(asked.data)), [asked.data]);
  const days = useMemo(() => dayNames(i18n.language), [i18n.language]);
  return (
    <Panel title={t('events.byHour')} beside={<ClassFilter />}>
      <Shown of={asked}>
        {({ items }) =>
          items.length === 0 || week === null ? <Nothing text={t('events.empty')} /> : <Week week={week} days={days} />
        }
      </Shown>
    </Panel>
  );
}

function ClassFilter() {
  const { t } = useTranslation();
  const { components = [], events = [] } = useCatalogue() ?? {};
  const options = [
    ...events.map((c) => ({ value: `2:${c.code}`, label: pick(c) })),
    ...components.map((c) => ({ value: `1:${c.code}`, label: pick(c) })),
  ];
  return <SelectFilter name="class" label={t('field.class')} options={options} />;
}

/** By day, Monday first, and hour. */
type Counts = readonly (readonly number[])[];

function Week({ week, days }: { week: Counts; days: readonly string[] }) {
  const { t } = useTranslation();
  const narrow = useNarrow();
  const heat = useMemo(() => {
    const hours = Array.from({ length: DAY_HOURS }, (_, hour) => String(hour));
    const cells = week.flatMap((counts, day) =>
      counts.map((n, hour) => (narrow ? ([day, hour, n] as const) : ([hour, day, n] as const))),
    );
    return narrow ? { columns: days, rows: hours, cells } : { columns: hours, rows: days, cells };
  }, [week, days, narrow]);
  const all = week.flatMap((counts, day) => counts.map((n, hour) => ({ day, hour, n })));
  const most = all.reduce((a, b) => (b.n > a.n ? b : a));
  const total = all.reduce((sum, { n }) => sum + n, 0);
  const text = t('events.byHourText', { n: total, days: DAYS, day: days[most.day], hour: most.hour, most: most.n });
  return (
    <>
      <p className="dim small">{text}</p>
      <Suspense fallback={<Waiting />}>
        <HeatMap heat={heat} text={text} />
      </Suspense>
      <details>
        <summary>{t('events.asTable')}</summary>
        <Table week={week} days={days} />
      </details>
    </>
  );
}

function Table({ week, days }: { week: Counts; days: readonly string[] }) {
  const { t } = useTranslation();
  return (
    <ScrollX label={t('events.byHour')}>
      <table className="plain">
        <thead>
          <tr>
            <th>{t('field.time')}</th>
            {days.map((day) => (
              <th key={day} className="number">
                {day}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: DAY_HOURS }, (_, hour) => `${hour}:00`).map((name, hour) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {days.map((day, n) => (
                <td key={day} className="number">
                  {week[n]?.[hour]}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollX>
  );
}

function weekOf({ items }: EventHoursAnswer): Counts {
  const week = Array.from({ length: WEEK_DAYS }, () => Array.from({ length: DAY_HOURS }, () => 0));
  for (const { at, count } of items) {
    const time = new Date(at);
    // Sunday is 0 there, and the last one here.
    const counts = week[(time.getDay() + WEEK_DAYS - 1) % WEEK_DAYS] as number[];
    counts[time.getHours()] = (counts[time.getHours()] ?? 0) + count;
  }
  return week;
}

function dayNames(language: string): string[] {
  const names = new Intl.DateTimeFormat(language, { weekday: 'short' });
  return Array.from({ length: WEEK_DAYS }, (_, day) => names.format(new Date(MONDAY.getFullYear(), 0, MONDAY.getDate() + day)));
}
