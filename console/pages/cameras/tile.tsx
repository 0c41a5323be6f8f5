import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { CameraAnswer, EventAnswer, Page as PageOf } from '#grid/api/mod.ts';
import { useThing, withQuery } from '../../api/mod.ts';
import { Ago, HealthTag, useReason } from '../../parts/mod.ts';
import { useInSight } from './in_sight.ts';
import { LiveView } from './live_view.tsx';
import type { Overlays } from './overlays.tsx';

/** One camera of the wall: live while it has a seat, else the newest picture that it gave as evidence, and how it is since when. */
export function Tile({
  camera,
  overlays,
  live,
  mayLook,
  onSight,
  onLook,
}: {
  camera: CameraAnswer;
  overlays: Overlays;
  live: boolean;
  /** It sends pictures, and is not shown live only because others are. */
  mayLook: boolean;
  onSight: (id: string, inSight: boolean) => void;
  onLook: () => void;
}) {
  const { t } = useTranslation();
  const reason = useReason();
  const { id, state, since, values } = camera;
  const element = useInSight<HTMLLIElement>((inSight) => onSight(id, inSight));
  return (
    <li className={`camera ${state}`} ref={element}>
      <div className="camera-picture">
        {live ? <LiveView camera={id} overlays={overlays} /> : <Newest camera={id} />}
        {mayLook && !live && (
          <button type="button" className="live-again" onClick={onLook}>
            {t('cameras.look')}
          </button>
        )}
        {/* For the mouse: the name below is the link of everybody. */}
        <Link className="cover" to={`/cameras/${id}`} tabIndex={-1} aria-hidden="true" />
      </div>
      <Link className="camera-foot" to={`/cameras/${id}`}>
        <b>{id}</b>
        <HealthTag state={state} />
        <span className="dim small">
          {reason(camera.reason)} · <Ago at={since} />
          {state !== 'offline' && state !== 'unknown' && ` · ${t('cameras.fps', { n: (values.analysedFps ?? 0).toFixed(1) })}`}
          {(values.droppedFrames ?? 0) > 0 && ` · ${t('cameras.dropped', { n: values.droppedFrames })}`}
        </span>
      </Link>
    </li>
  );
}

function Newest({ camera }: { camera: string }) {
  const { t } = useTranslation();
  const newest = useThing<PageOf<EventAnswer>>(
    ['events', 'newest', camera],
    withQuery('/api/v1/events', { source: camera, limit: 1 }),
  );
  const picture = newest.data?.items[0]?.record.data.evidence.find((e) => e.mediaType === 'image/jpeg');
  if (picture === undefined) return <span className="dim">{t('cameras.noPicture')}</span>;
  return (
    <>
      <img src={`/api/v1/evidence/${picture.sha256}`} alt="" loading="lazy" />
      <span className="camera-age">
        <Ago at={picture.takenAt} />
      </span>
    </>
  );
}
