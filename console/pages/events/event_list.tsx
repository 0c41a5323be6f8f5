import { useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'react-router';
import type { EventAnswer } from '#grid/api/mod.ts';
import { Ago, Failure, Nothing, SeverityTag, useClassName, Waiting } from '../../parts/mod.ts';

const ROW_PX = 66;
const OVERSCAN = 10;

/** The queue beside the evidence. */
export function EventList({
  pages,
  selected,
  empty,
}: {
  pages: {
    items: EventAnswer[];
    data: unknown;
    error: Error | null;
    refetch: () => unknown;
    onView: (first: number, last: number) => void;
  };
  selected: string | undefined;
  empty: string;
}) {
  const { t } = useTranslation();
  const { search } = useLocation();
  const className = useClassName();
  const scroller = useRef<HTMLDivElement>(null);
  const { items } = pages;
  const keyOf = useCallback((i: number) => items[i]?.record.subject ?? i, [items]);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
    getItemKey: keyOf,
  });
  const shown = rows.getVirtualItems();
  pages.onView(shown[0]?.index ?? 0, shown.at(-1)?.index ?? 0);
  const index = items.findIndex((e) => e.record.subject === selected);
  useEffect(() => {
    if (index >= 0) rows.scrollToIndex(index);
  }, [index, rows]);
  if (pages.data === undefined)
    return <div className="triage-list">{pages.error ? <Failure error={pages.error} again={pages.refetch} /> : <Waiting />}</div>;
  return (
    <nav className="triage-list" ref={scroller} aria-label={t('events.title')}>
      {items.length === 0 && <Nothing text={empty} />}
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {shown.map((row) => {
          const { record, verdict } = items[row.index] as EventAnswer;
          const { data, subject } = record;
          const { origin } = data;
          return (
            <Link
              key={row.key}
              replace
              to={{ pathname: `/events/${subject}`, search }}
              className="triage-item"
              aria-current={subject === selected ? 'true' : undefined}
              style={{ height: row.size, transform: `translateY(${row.start}px)` }}
            >
              <b>{className(data.class)}</b>
              <SeverityTag severity={data.severity} />
              <span className="dim">
                {verdict && (verdict.verdict === 'accepted' ? '✓ ' : '✕ ')}
                {origin.by === 'sensor' ? origin.device : origin.camera}
              </span>
              <span className="dim">
                <Ago at={data.confirmedAt} />
              </span>
            </Link>
          );
        })}
      </div>
    </nav>
  );
}
