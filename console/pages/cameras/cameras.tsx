import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { CameraAnswer, EventAnswer, Page as PageOf } from '#grid/api/mod.ts';
import type { HealthState } from '#grid/wire/mod.ts';
import { usePages, useThing, withQuery } from '../../api/mod.ts';
import {
  Ago,
  ClearFilters,
  Failure,
  HealthTag,
  Nothing,
  Page,
  SearchFilter,
  SelectFilter,
  useFilter,
  useReason,
  Waiting,
} from '../../parts/mod.ts';

const STATES: readonly HealthState[] = ['online', 'degraded', 'offline', 'unknown'];

/** Every camera with the newest picture that it gave as evidence, the ones that are not well first. */
export function Cameras() {
  const { t } = useTranslation();
  const [q] = useFilter('q');
  const [state] = useFilter('state');
  const pages = usePages<CameraAnswer>('devices', '/api/v1/cameras', { q, state });
  const { items, hasNextPage, fetchNextPage, isFetchingNextPage } = pages;
  const order: HealthState[] = ['offline', 'degraded', 'unknown', 'online'];
  const sorted = items.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
  return (
    <Page
      title={t('cameras.title')}
      beside={
        <>
          <SearchFilter />
          <SelectFilter
            name="state"
            label={t('filter.state')}
            options={STATES.map((value) => ({ value, label: t(`health.${value}`) }))}
          />
          <ClearFilters />
        </>
      }
    >
      {pages.data === undefined && (pages.error ? <Failure error={pages.error} again={pages.refetch} /> : <Waiting />)}
      {pages.data !== undefined && items.length === 0 && <Nothing text={t('cameras.empty')} />}
      <ul className="wall">
        {sorted.map((camera) => (
          <Camera key={camera.id} camera={camera} />
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

function Camera({ camera }: { camera: CameraAnswer }) {
  const { t } = useTranslation();
  const reason = useReason();
  const { id, state, values } = camera;
  const newest = useThing<PageOf<EventAnswer>>(['events', 'newest', id], withQuery('/api/v1/events', { source: id, limit: 1 }));
  const picture = newest.data?.items[0]?.record.data.evidence.find((e) => e.mediaType === 'image/jpeg');
  return (
    <li className="camera">
      <Link to={`/devices/camera/${id}`}>
        <span className="camera-picture">
          {picture ? (
            <img src={`/api/v1/evidence/${picture.sha256}`} alt="" loading="lazy" />
          ) : (
            <span className="dim">{t('cameras.noPicture')}</span>
          )}
          {picture && (
            <span className="camera-age">
              <Ago at={picture.takenAt} />
            </span>
          )}
        </span>
        <span className="camera-foot">
          <b>{id}</b>
          <HealthTag state={state} />
          <span className="dim small">
            {reason(camera.reason)} · {t('cameras.fps', { n: (values.analysedFps ?? 0).toFixed(1) })}
            {(values.droppedFrames ?? 0) > 0 && ` · ${t('cameras.dropped', { n: values.droppedFrames })}`}
          </span>
        </span>
      </Link>
    </li>
  );
}
