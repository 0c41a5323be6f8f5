import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { CameraAnswer, DesiredCameraAnswer } from '#grid/api/mod.ts';
import { useThing } from '../../api/mod.ts';
import { DesiredState, Facts, Panel, Shown } from '../../parts/mod.ts';
import { useDetects } from './names.ts';
import { PersonRecall } from './person_recall.tsx';

const RENEW_MS = 10_000;
/** While the edge has not answered. */
const PENDING_MS = 1_000;

/** What is wanted of a camera, read again soon while its edge has not said what it makes of it. */
export function useDesiredCamera({ id, edge }: { id: string; edge: string }) {
  const path = `/api/v1/edges/${edge}/desired/cameras/${id}`;
  return useThing<DesiredCameraAnswer>(['desired', edge, id], path, (data) =>
    data?.status === 'pending' ? PENDING_MS : RENEW_MS,
  );
}

/** Zones, calibration and rate of a camera, and whether its edge has taken them. */
export function Configuration({ camera }: { camera: CameraAnswer }) {
  const { t } = useTranslation();
  const detects = useDetects();
  const asked = useDesiredCamera(camera);
  return (
    <Panel title={t('cameras.configuration')} beside={asked.data && <DesiredState of={asked.data} />}>
      <Shown of={asked} rows={4}>
        {(desired) => (
          <>
            <ul className="lines">
              {(desired.zones ?? []).map((zone) => (
                <li key={zone.id}>
                  <b>{zone.id}</b>
                  <span className="dim">{[...new Set(zone.rules.map((r) => detects(r.detects)))].join(', ')}</span>
                </li>
              ))}
            </ul>
            <Facts
              rows={[
                [t('cameras.zones'), desired.zones === null ? t('cameras.fileOnly') : desired.zones.length],
                [t('cameras.exclude'), desired.exclude?.length ?? '–'],
                [t('cameras.rateWanted'), desired.fps === null ? '–' : t('cameras.fps', { n: desired.fps })],
                [t('cameras.calibration'), <Calibrated key="calibration" desired={desired} />],
                [t('recall.title'), <PersonRecall key="recall" desired={desired} />],
              ]}
            />
            <div className="bar">
              <Link className="link-button" to={`/cameras/${camera.id}/zones`}>
                {t('cameras.editZones')}
              </Link>
              <Link className="link-button" to={`/cameras/${camera.id}/calibration`}>
                {t('cameras.calibrate')}
              </Link>
              <Link className="link-button" to={`/devices/edge/${camera.edge}/desired`}>
                {t('cameras.revisions')}
              </Link>
            </div>
          </>
        )}
      </Shown>
    </Panel>
  );
}

/** How many points, and how far the worst is off the others. */
function Calibrated({ desired: { calibration, residualsM } }: { desired: DesiredCameraAnswer }) {
  const { t } = useTranslation();
  if (calibration === null) return t('cameras.fileOnly');
  const known = (residualsM ?? []).filter((m) => m !== null);
  const points = t('cameras.points', { n: calibration.points.length });
  return known.length === 0 ? points : `${points}, ${t('cameras.worst', { m: Math.max(...known).toFixed(2) })}`;
}
