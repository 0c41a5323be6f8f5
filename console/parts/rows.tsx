import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { Failure, Nothing, Waiting } from './page.tsx';

export interface Column<T> {
  key: string;
  label: string;
  /** CSS grid track: `2fr`, `120px`. */
  width: string;
  draw: (item: T) => ReactNode;
  /** Left out where there is little room. */
  wide?: boolean;
}

interface Pages<T> {
  items: T[];
  data: unknown;
  error: Error | null;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
  refetch: () => unknown;
  /** Told which items are in view, where not all of them are kept true. */
  onView?: (first: number, last: number) => void;
}

const ROW_PX = 44;
const CARD_PX = 84;
const OVERSCAN = 12;
/** So many rows before the end the next page is asked for. */
const AHEAD = 30;
const NARROW = '(max-width: 760px)';

/**
 * A list of any length: only what is in view is drawn, the next page comes as the reader nears the end. A table where there
 * is room, cards where there is not. A virtual list cannot be a table of the document, so the roles say what it is. Up, Down, Home and End walk, Enter opens.
 */
export function Rows<T extends { id: string }>({
  label,
  pages,
  columns,
  to,
  empty,
  select: wanted,
}: {
  label: string;
  pages: Pages<T>;
  columns: readonly Column<T>[];
  to: (item: T) => string;
  empty: string;
  /** Rows can be chosen; by their ids. Space does, too. */
  select?: { chosen: ReadonlySet<string>; toggle: (id: string) => void } | undefined;
}) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const scroller = useRef<HTMLDivElement>(null);
  const narrow = matchMedia(NARROW).matches;
  // Cards have no room for it: things are chosen where there is a table.
  const select = narrow ? undefined : wanted;
  const { items } = pages;
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => (narrow ? CARD_PX : ROW_PX),
    overscan: OVERSCAN,
    getItemKey: (i) => items[i]?.id ?? i,
  });
  const shown = rows.getVirtualItems();
  const [first, last] = [shown[0]?.index ?? 0, shown.at(-1)?.index ?? 0];
  pages.onView?.(first, last);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  useEffect(() => {
    if (last >= items.length - AHEAD && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [last, items.length, hasNextPage, isFetchingNextPage, fetchNextPage]);

  if (pages.data === undefined)
    return pages.error ? <Failure error={pages.error} again={pages.refetch} /> : <Waiting rows={10} />;
  if (items.length === 0) return <Nothing text={empty} />;

  const step = (from: number, key: string): number | null => {
    if (key === 'ArrowDown') return Math.min(items.length - 1, from + 1);
    if (key === 'ArrowUp') return Math.max(0, from - 1);
    if (key === 'Home') return 0;
    return key === 'End' ? items.length - 1 : null;
  };
  const focus = (index: number) => {
    rows.scrollToIndex(index);
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-index="${index}"]`)?.focus());
  };
  const tracks = [...(select ? ['24px'] : []), ...columns.map((c) => c.width)].join(' ');
  return (
    <>
      <div className="rows" role="table" aria-label={label} aria-rowcount={items.length + 1}>
        <div className="rows-head" role="row" aria-rowindex={1} style={{ gridTemplateColumns: tracks }}>
          {select && <span role="columnheader" />}
          {columns.map((c) => (
            <span key={c.key} role="columnheader" className={c.wide ? 'wide' : ''}>
              {c.label}
            </span>
          ))}
        </div>
        <div className="rows-body" role="rowgroup" ref={scroller}>
          <div role="presentation" style={{ height: rows.getTotalSize(), position: 'relative' }}>
            {shown.map((row) => {
              const item = items[row.index] as T;
              return (
                <div
                  key={row.key}
                  role="row"
                  aria-rowindex={row.index + 2}
                  data-index={row.index}
                  tabIndex={row.index === shown[0]?.index ? 0 : -1}
                  className="row"
                  style={{ gridTemplateColumns: tracks, height: row.size, transform: `translateY(${row.start}px)` }}
                  onClick={() => void navigate(to(item))}
                  onKeyDown={(e) => {
                    const next = step(row.index, e.key);
                    if (next !== null) {
                      e.preventDefault();
                      focus(next);
                    } else if (e.key === 'Enter') void navigate(to(item));
                    else if (e.key === ' ' && select) {
                      e.preventDefault();
                      select.toggle(item.id);
                    }
                  }}
                >
                  {select && (
                    <span role="cell" className="choose">
                      <input
                        type="checkbox"
                        tabIndex={-1}
                        aria-label={t('upkeep.select', { id: item.id })}
                        checked={select.chosen.has(item.id)}
                        onClick={(e) => e.stopPropagation()}
                        onChange={() => select.toggle(item.id)}
                      />
                    </span>
                  )}
                  {columns.map((c) => (
                    <span key={c.key} role="cell" className={c.wide ? 'wide' : ''}>
                      {c.draw(item)}
                    </span>
                  ))}
                </div>
              );
            })}
          </div>
        </div>
      </div>
      <p className="rows-foot dim" aria-live="polite">
        {t(hasNextPage ? 'state.shownMore' : 'state.shown', { count: items.length })}
      </p>
    </>
  );
}
