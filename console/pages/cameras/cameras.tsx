import { Button, Segmented } from 'antd';
import { useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { CameraAnswer, EdgeAnswer } from '#grid/api/mod.ts';
import type { HealthState } from '#grid/wire/mod.ts';
import { usePages, useThing } from '../../api/mod.ts';
import { ClearFilters, Failure, Nothing, Page, SearchFilter, SelectFilter, useFilter, Waiting } from '../../parts/mod.ts';
import { OverlaySwitches, useOverlays } from './overlays.tsx';
import { seated } from './seats.ts';
import { Tile } from './tile.tsx';

/** The ones that are not well first. */
const ORDER: readonly HealthState[] = ['offline', 'degraded', 'unknown', 'online'];

/** A wall of live views, masked for everybody: what is in sight plays, what is not is stopped. */
export function Cameras() {
  const { t } = useTranslation();
  const [q] = useFilter('q');
  const [state] = useFilter('state');
  const [edge] = useFilter('edge');
  const [show = 'live', setShow] = useFilter('show');
  const overlays = useOverlays();
  const pages = usePages<CameraAnswer>('devices', '/api/v1/cameras', { q, state, edge });
  const edges = useThing<{ items: EdgeAnswer[] }>(['devices', 'edges'], '/api/v1/edges');
  const { items, hasNextPage, fetchNextPage, isFetchingNextPage } = pages;
  const sorted = items.toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
  const [inSight, setInSight] = useState<ReadonlySet<string>>(new Set());
  const [preferred, setPreferred] = useState<string[]>([]);
  const seen = useCallback((id: string, is: boolean) => {
    setInSight((before) => {
      if (before.has(id) === is) return before;
      return is ? new Set([...before, id]) : new Set([...before].filter((other) => other !== id));
    });
  }, []);
  const seats =
    show === 'live'
      ? seated(
          sorted.filter(isThere).filter((c) => inSight.has(c.id)),
          preferred,
        )
      : new Set<string>();
  return (
    <Page
      title={t('cameras.title')}
      beside={
        <>
          <Segmented
            aria-label={t('cameras.show')}
            value={show}
            onChange={(v) => setShow(v === 'live' ? undefined : v)}
            options={[
              { value: 'live', label: t('cameras.live') },
              { value: 'pictures', label: t('cameras.pictures') },
            ]}
          />
          {show === 'live' && <OverlaySwitches />}
          <SearchFilter />
          <SelectFilter
            name="state"
            label={t('filter.state')}
            options={ORDER.map((value) => ({ value, label: t(`health.${value}`) }))}
          />
          <SelectFilter
            name="edge"
            label={t('filter.edge')}
            options={(edges.data?.items ?? []).map(({ id }) => ({ value: id, label: id }))}
          />
          <ClearFilters />
        </>
      }
    >
      {pages.data === undefined && (pages.error ? <Failure error={pages.error} again={pages.refetch} /> : <Waiting />)}
      {pages.data !== undefined && items.length === 0 && <Nothing text={t('cameras.empty')} />}
      {show === 'live' && items.length > 0 && <p className="dim small wall-hint">{t('cameras.maskedHint')}</p>}
      <ul className="wall">
        {sorted.map((camera) => (
          <Tile
            key={camera.id}
            camera={camera}
            overlays={overlays}
            live={seats.has(camera.id)}
            mayLook={show === 'live' && isThere(camera)}
            onSight={seen}
            onLook={() => setPreferred((before) => [camera.id, ...before.filter((id) => id !== camera.id)])}
          />
        ))}
      </ul>
      {hasNextPage && (
        <Button loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {t('action.more')}
        </Button>
      )}
    </Page>
  );
}

/** One that sends nothing would take the place of one that does. */
const isThere = ({ state }: CameraAnswer) => state === 'online' || state === 'degraded';
