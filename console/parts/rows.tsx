import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, type ReactNode, type RefObject, useCallback, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { useNarrow } from './narrow.ts';
import { Failure, Nothing, Waiting } from './page.tsx';

export interface Column<T> {
  key: string;
  label: string;
  /** CSS grid track: `2fr`, `120px`. */
  width: string;
  draw: (item: T) => ReactNode;
  /** Left out where there is little room. */
  wide?: boolean;
  /** Goes on in the next line where its column has no room. */
  wraps?: boolean;
}

/** What `usePages` gives, or something like it. */
export interface Pages<T> {
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
const AHEAD = 60;

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
  select,
}: {
  label: string;
  pages: Pages<T>;
  /** The same ones while nothing of them has changed: then rows that are drawn stay as they are. */
  columns: readonly Column<T>[];
  to: (item: T) => string;
  empty: string;
  /** Rows can be chosen; by their ids. Space does, too. */
  select?: { chosen: ReadonlySet<string>; toggle: (id: string) => void } | undefined;
}) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const scroller = useRef<HTMLDivElement>(null);
  const narrow = useNarrow();
  const { items } = pages;
  // With another one all rows would be measured anew.
  const keyOf = useCallback((i: number) => items[i]?.id ?? i, [items]);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => (narrow ? CARD_PX : ROW_PX),
    overscan: OVERSCAN,
    getItemKey: keyOf,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: cards have another height
  useEffect(() => rows.measure(), [rows, narrow]);
  const shown = rows.getVirtualItems();
  const [first, last] = [shown[0]?.index ?? 0, shown.at(-1)?.index ?? 0];
  pages.onView?.(first, last);
  const act = {
    open: (item: T) => void navigate(to(item)),
    walk: (from: number, key: string) => {
      const next = stepped(from, key, items.length);
      if (next === null) return false;
      rows.scrollToIndex(next);
      requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-index="${next}"]`)?.focus());
      return true;
    },
    choose: (item: T) => select?.toggle(item.id),
  };
  const acts = useRef(act);
  acts.current = act;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  useEffect(() => {
    if (last >= items.length - AHEAD && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [last, items.length, hasNextPage, isFetchingNextPage, fetchNextPage]);

  if (pages.data === undefined)
    return pages.error ? <Failure error={pages.error} again={pages.refetch} /> : <Waiting rows={10} />;
  if (items.length === 0) return <Nothing text={empty} />;

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
            {shown.map(({ key, index, start, size }) => (
              <Row
                key={key}
                item={items[index] as T}
                index={index}
                place={start}
                height={size}
                columns={columns}
                tracks={tracks}
                first={index === first}
                chosen={select?.chosen.has(items[index]?.id ?? '')}
                acts={acts}
              />
            ))}
          </div>
        </div>
      </div>
      <p className="rows-foot dim" aria-live="polite">
        {t(hasNextPage ? 'state.shownMore' : 'state.shown', { count: items.length })}
      </p>
    </>
  );
}

interface Acts<T> {
  open(item: T): void;
  /** Whether the key is one that walks. */
  walk(from: number, key: string): boolean;
  choose(item: T): void;
}

interface RowProps<T> {
  item: T;
  index: number;
  /** Of its upper edge in the list, px. */
  place: number;
  height: number;
  columns: readonly Column<T>[];
  tracks: string;
  /** The one that the tabulator reaches. */
  first: boolean;
  /** Undefined where nothing can be chosen. */
  chosen: boolean | undefined;
  acts: RefObject<Acts<T>>;
}

/** Drawn again when something of it is another, not when the list moves. */
const Row = memo(RowOf) as typeof RowOf;

function RowOf<T extends { id: string }>({ item, index, place, height, columns, tracks, first, chosen, acts }: RowProps<T>) {
  const { t } = useTranslation();
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      data-index={index}
      tabIndex={first ? 0 : -1}
      className={chosen === undefined ? 'row' : 'row choosable'}
      style={{ gridTemplateColumns: tracks, height, transform: `translateY(${place}px)` }}
      onClick={() => acts.current.open(item)}
      onKeyDown={(e) => {
        if (acts.current.walk(index, e.key)) e.preventDefault();
        else if (e.key === 'Enter') acts.current.open(item);
        else if (e.key === ' ' && chosen !== undefined) {
          e.preventDefault();
          acts.current.choose(item);
        }
      }}
    >
      {chosen !== undefined && (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the space bar does on the row
        <span role="cell" className="choose" onClick={(e) => e.stopPropagation()}>
          <input
            type="checkbox"
            tabIndex={-1}
            aria-label={t('upkeep.select', { id: item.id })}
            checked={chosen}
            onChange={() => acts.current.choose(item)}
          />
        </span>
      )}
      {columns.map((c) => (
        <span key={c.key} role="cell" className={`${c.wide ? 'wide' : ''} ${c.wraps ? 'wraps' : ''}`}>
          {c.draw(item)}
        </span>
      ))}
    </div>
  );
}

/** Where a key leads in a list of so many; null for one that does not walk. */
function stepped(from: number, key: string, count: number): number | null {
  if (key === 'ArrowDown') return Math.min(count - 1, from + 1);
  if (key === 'ArrowUp') return Math.max(0, from - 1);
  if (key === 'Home') return 0;
  return key === 'End' ? count - 1 : null;
}
