import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { Alert, Button, InputNumber } from 'antd';
import { lazy, Suspense, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { CameraAnswer, DesiredCameraAnswer } from '#grid/api/mod.ts';
import { useMay } from '../../api/mod.ts';
import { LeaveGuard, Panel, ScrollX, Waiting } from '../../parts/mod.ts';
import { Earlier } from './earlier.tsx';
import { EditorPage } from './editor_page.tsx';
import {
  calibrationOf,
  type Fit,
  fitOf,
  type GroundPoint,
  POINTS_MAX,
  POINTS_MIN,
  pointsOf,
  roundedPlace,
  seenGround,
} from './ground_points.ts';
import { useKept } from './kept.ts';
import { LiveView } from './live_view.tsx';
import { PicturePoints } from './picture_points.tsx';
import { Push, useChecked } from './push.tsx';
import { RawSwitch, useLooking } from './raw.tsx';

const GroundMap = lazy(() => import('./ground_map.tsx'));
const ASPECT = 16 / 9;
const NO_OVERLAYS = { boxes: false, zones: false };
/** Where a point lies that is added by keyboard. */
const MIDDLE = { x: 0.5, y: 0.6 };

/** Ground points on the picture and on the map, what they come to, and the way to the edge. */
export function CalibrationPage() {
  const { t } = useTranslation();
  return (
    <EditorPage title={t('calibration.title')}>{(camera, desired) => <Editor camera={camera} desired={desired} />}</EditorPage>
  );
}

function Editor({ camera, desired }: { camera: CameraAnswer; desired: DesiredCameraAnswer }) {
  const { t } = useTranslation();
  const { ops } = useMay();
  const looking = useLooking(camera.id);
  const [aspect, setAspect] = useState(ASPECT);
  const kept = useKept<GroundPoint[]>(desired);
  const { value: edited, edit, discard } = kept;
  const [chosen, choose] = useState<number | null>(null);
  const { calibration } = desired;
  const points = useMemo(() => edited ?? pointsOf(calibration), [edited, calibration]);
  const { lon, lat } = camera;
  const fit = useMemo(() => fitOf({ lon, lat }, points), [lon, lat, points]);
  const seen = useMemo(() => seenGround(fit), [fit]);
  const changed = edited === null ? null : calibrationOf(edited);
  const good = changed !== null && fit.fitted?.ok === true;
  const mistakes = useChecked(desired, good ? { calibration: changed } : null);
  const set = (index: number, part: Partial<GroundPoint>) =>
    edit(points.with(index, { ...(points[index] as GroundPoint), ...part }));
  const add = (at: { x: number; y: number }) => {
    if (points.length >= POINTS_MAX) return;
    edit([...points, { ...at, place: null }]);
    choose(points.length);
  };
  const grant = looking.grant?.id ?? null;
  return (
    <div className="stack">
      <LeaveGuard when={edited !== null} />
      <p className="dim small">{t('calibration.hint')}</p>
      <div className="grid2 even">
        <Panel title={t('calibration.picture')} beside={<RawSwitch camera={camera.id} {...looking} />}>
          <PicturePoints
            aspect={aspect}
            points={points}
            chosen={chosen}
            onChoose={choose}
            onMove={ops ? (i, at) => set(i, at) : null}
            onAdd={ops ? add : null}
          >
            <LiveView
              key={grant ?? 'masked'}
              camera={camera.id}
              grant={grant}
              lastAt={looking.live?.snapshotAt}
              overlays={NO_OVERLAYS}
              onAspect={setAspect}
            />
          </PicturePoints>
          {looking.live?.raw.mayAsk && grant === null && <p className="dim small">{t('calibration.needsRaw')}</p>}
        </Panel>
        <Panel title={t('calibration.map')}>
          <Suspense fallback={<Waiting rows={6} />}>
            <GroundMap
              camera={camera}
              points={points}
              chosen={ops ? chosen : null}
              seen={seen}
              onChoose={choose}
              onPlace={(i, place) => ops && set(i, { place: roundedPlace(place) })}
            />
          </Suspense>
        </Panel>
      </div>
      <div className="grid2 even">
        <Panel
          title={t('calibration.points')}
          beside={
            ops && (
              <Button icon={<PlusOutlined />} onClick={() => add(MIDDLE)}>
                {t('calibration.add')}
              </Button>
            )
          }
        >
          <Table points={points} fit={fit} chosen={chosen} onChoose={choose} onSet={ops ? set : null} onPoints={edit} />
        </Panel>
        <Panel
          title={t('desired.title')}
          beside={
            ops && (
              <Earlier edge={desired.edge} camera={camera.id} onTake={(s) => edit(pointsOf(s?.calibration ?? calibration))} />
            )
          }
        >
          <Judged fit={fit} points={points} />
          <Push desired={desired} kept={kept} parts={good ? { calibration: changed } : null} mistakes={mistakes} />
          {edited !== null && !good && (
            <div className="bar">
              <Button onClick={discard}>{t('desired.discard')}</Button>
            </div>
          )}
        </Panel>
      </div>
    </div>
  );
}

/** What the points come to, or why they come to nothing. */
function Judged({ fit: { fitted, residualsM, far }, points }: { fit: Fit; points: readonly GroundPoint[] }) {
  const { t } = useTranslation();
  if (fitted === null) {
    const n = points.filter((p) => p.place !== null).length;
    return <Alert type="info" showIcon title={t('calibration.tooFew', { n, wanted: POINTS_MIN })} />;
  }
  if (!fitted.ok) {
    const { fault, point } = fitted;
    const known =
      point !== null ? 'wrongPoint' : fault.includes('mirror') ? 'mirror' : fault.includes('contradict') ? 'contradict' : 'line';
    return <Alert type="error" showIcon title={t(`calibration.${known}`, { n: (point ?? 0) + 1 })} />;
  }
  const worst = Math.max(...residualsM.map((m) => m ?? 0));
  const exact = points.length === POINTS_MIN;
  return (
    <>
      <Alert
        type={exact ? 'warning' : 'success'}
        showIcon
        title={exact ? t('calibration.exact') : t('calibration.worst', { m: worst.toFixed(2) })}
        data-worst={worst}
      />
      {far && (
        <p className="calibration-far">{t('calibration.far', { m: Math.round(far.distanceM), r: far.radiusM.toFixed(1) })}</p>
      )}
    </>
  );
}

function Table({
  points,
  fit,
  chosen,
  onChoose,
  onSet,
  onPoints,
}: {
  points: readonly GroundPoint[];
  fit: Fit;
  chosen: number | null;
  onChoose: (index: number | null) => void;
  onSet: ((index: number, part: Partial<GroundPoint>) => void) | null;
  onPoints: (points: GroundPoint[]) => void;
}) {
  const { t } = useTranslation();
  const number = (label: string, value: number | null, step: number, change: (v: number) => void) => (
    <InputNumber
      aria-label={label}
      value={value}
      step={step}
      disabled={onSet === null}
      controls={false}
      onChange={(v) => v !== null && change(v)}
    />
  );
  return (
    <ScrollX label={t('calibration.points')}>
      <table className="plain points">
        <thead>
          <tr>
            <th scope="col">#</th>
            <th scope="col">x %</th>
            <th scope="col">y %</th>
            <th scope="col">{t('calibration.lon')}</th>
            <th scope="col">{t('calibration.lat')}</th>
            <th scope="col">{t('calibration.residual')}</th>
            <th scope="col" aria-label={t('zones.remove', { id: '' })} />
          </tr>
        </thead>
        <tbody>
          {points.map((point, i) => {
            const n = i + 1;
            const place = point.place ?? { lon: 0, lat: 0 };
            const residual = fit.residualsM[i];
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: a point's number is its name
              <tr key={i} className={i === chosen ? 'chosen' : ''}>
                <th scope="row">
                  <button type="button" className="plain-button" aria-pressed={i === chosen} onClick={() => onChoose(i)}>
                    {i === chosen ? '▸ ' : ''}
                    {n}
                  </button>
                </th>
                <td>{number(`x ${n}`, round2(point.x * 100), 0.1, (v) => onSet?.(i, { x: v / 100 }))}</td>
                <td>{number(`y ${n}`, round2(point.y * 100), 0.1, (v) => onSet?.(i, { y: v / 100 }))}</td>
                <td>
                  {number(`${t('calibration.lon')} ${n}`, point.place?.lon ?? null, 1e-6, (v) =>
                    onSet?.(i, { place: { ...place, lon: v } }),
                  )}
                </td>
                <td>
                  {number(`${t('calibration.lat')} ${n}`, point.place?.lat ?? null, 1e-6, (v) =>
                    onSet?.(i, { place: { ...place, lat: v } }),
                  )}
                </td>
                <td className="number">{residual == null ? '–' : `${residual.toFixed(2)} m`}</td>
                <td>
                  {onSet && (
                    <Button
                      size="small"
                      type="text"
                      icon={<DeleteOutlined />}
                      aria-label={t('zones.remove', { id: n })}
                      onClick={() => {
                        onChoose(null);
                        onPoints(points.toSpliced(i, 1));
                      }}
                    />
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </ScrollX>
  );
}

const round2 = (v: number) => Math.round(v * 100) / 100;
