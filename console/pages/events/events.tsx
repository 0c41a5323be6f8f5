import { Segmented } from 'antd';
import { type RefObject, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation, useNavigate, useParams } from 'react-router';
import type { EventAnswer } from '#grid/api/mod.ts';
import { useMay, usePages, useThing } from '../../api/mod.ts';
import { ClearFilters, Nothing, Page, SelectFilter, Shown, useFilter } from '../../parts/mod.ts';
import { ByHour } from './by_hour.tsx';
import { EventList } from './event_list.tsx';
import { EventView } from './event_view.tsx';
import { useJudging } from './judging.tsx';
import { Precision } from './precision.tsx';

const VIEWS = ['queue', 'all', 'judged', 'precision', 'hours'] as const;
type View = (typeof VIEWS)[number];

/** Events with their evidence, judged by keyboard: the queue is walked with J and K, A accepts, R rejects. */
export function Events() {
  const { t } = useTranslation();
  const [view = 'queue', setView] = useFilter('view');
  const precision = view === 'precision';
  return (
    <Page
      fill
      title={t('events.title')}
      beside={
        <>
          <Segmented
            aria-label={t('events.title')}
            value={view as View}
            onChange={(v) => setView(v === 'queue' ? undefined : v)}
            options={VIEWS.map((value) => ({ value, label: t(`events.view.${value}`) }))}
          />
          {!precision && (
            <SelectFilter
              name="by"
              label={t('filter.source')}
              options={(['camera', 'sensor'] as const).map((value) => ({ value, label: t(`source.${value}`) }))}
            />
          )}
          {!precision && <ClearFilters />}
        </>
      }
    >
      {precision ? <Precision /> : view === 'hours' ? <ByHour /> : <Triage view={view as View} />}
    </Page>
  );
}

function Triage({ view }: { view: View }) {
  const { t } = useTranslation();
  const { id } = useParams();
  const { pathname, search } = useLocation();
  const navigate = useNavigate();
  const [by] = useFilter('by');
  const [source] = useFilter('source');
  const [cell] = useFilter('cell');
  const judged = view === 'queue' ? false : view === 'judged' ? true : undefined;
  const pages = usePages<EventAnswer>('events', '/api/v1/events', { judged, by, source, cell });
  const { items } = pages;
  const index = items.findIndex((e) => e.record.subject === id);
  const listed = index >= 0 ? items[index] : undefined;
  // One that is not in the list, by a link or because it was just judged, is asked for by itself.
  const alone = useThing<EventAnswer>(
    ['events', 'one', id ?? null],
    id === undefined || listed !== undefined ? null : `/api/v1/events/${id}`,
  );
  const shown = listed ?? (id === undefined ? items[0] : alone.data);
  const go = (event: EventAnswer | undefined) => {
    if (event !== undefined) void navigate({ pathname: `/events/${event.record.subject}`, search }, { replace: true });
  };
  const at = shown === undefined ? -1 : items.indexOf(shown);
  const next = items[at + 1] ?? (at > 0 ? items[at - 1] : undefined);
  const place = pathname + search;
  const here = useHere(place);
  const judging = useJudging(shown, () => {
    // An answer that comes late carries nobody back who has gone elsewhere.
    if (view === 'queue' && here.current === place) go(next);
  });
  useKeys({
    j: () => go(items[at + 1]),
    k: () => go(items[Math.max(0, at - 1)]),
    a: judging.accept,
    r: judging.ask,
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  useEffect(() => {
    if (at >= items.length - 10 && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [at, items.length, hasNextPage, isFetchingNextPage, fetchNextPage]);

  return (
    <div className={id === undefined ? 'triage' : 'triage one'}>
      <EventList
        pages={pages}
        selected={shown?.record.subject}
        empty={t(view === 'queue' ? 'events.emptyQueue' : 'events.empty')}
      />
      <div className="triage-view">
        {shown !== undefined ? (
          <EventView key={shown.record.subject} event={shown} judging={judging} />
        ) : id !== undefined ? (
          <Shown of={alone}>{() => null}</Shown>
        ) : (
          pages.data !== undefined && <Nothing text={t(view === 'queue' ? 'events.emptyQueue' : 'events.empty')} />
        )}
      </div>
    </div>
  );
}

/** Where the reader is by now; nowhere once he has left the page. */
function useHere(place: string): RefObject<string | null> {
  const here = useRef<string | null>(place);
  useEffect(() => {
    here.current = place;
    return () => {
      here.current = null;
    };
  }, [place]);
  return here;
}

/** Single keys, but not while somebody types or a dialog is open. */
function useKeys(keys: Record<string, () => void>): void {
  const { judge } = useMay();
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      const target = e.target as HTMLElement;
      const typing =
        target.closest('input:not([type="radio"]), textarea, select, [contenteditable], [role="dialog"], [role="combobox"]') !==
        null;
      if (typing || e.ctrlKey || e.metaKey || e.altKey || document.querySelector('[role="dialog"]') !== null) return;
      const act = keys[e.key.toLowerCase()];
      if (act === undefined || (!judge && 'ar'.includes(e.key.toLowerCase()))) return;
      e.preventDefault();
      act();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });
}
