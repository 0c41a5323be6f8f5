import { lazy, Suspense, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import type { CameraAnswer, DeviceAnswer, EdgeAnswer } from '#grid/api/mod.ts';
import { useCatalogue, useThing } from '../../api/mod.ts';
import {
  Ago,
  Counters,
  EventsOf,
  Facts,
  HealthTag,
  HistoryOf,
  MaintenanceTag,
  Nothing,
  Page,
  Panel,
  Shown,
  Since,
  useKindName,
  Waiting,
} from '../../parts/mod.ts';
import { Maintain } from './maintain.tsx';
import { Readings } from './readings.tsx';

const PlaceMap = lazy(() => import('../../parts/map/place_map.tsx'));
const PATHS = { sensor: 'devices', camera: 'cameras', edge: 'edges' } as const;
type Of = keyof typeof PATHS;
const isOf = (of: string | undefined): of is Of => of !== undefined && Object.hasOwn(PATHS, of);

/** One thing: how it is and was, what it measures, what it has reported. */
export function Device() {
  const { of, id = '' } = useParams();
  return isOf(of) ? <One key={`${of} ${id}`} of={of} id={id} /> : <Nothing text="404" />;
}

function One({ of, id }: { of: Of; id: string }) {
  const { t } = useTranslation();
  const path = `/api/v1/${PATHS[of]}/${id}`;
  const thing = useThing<DeviceAnswer | CameraAnswer | EdgeAnswer>(['devices', of, id], path);
  return (
    <Page title={id} back={{ to: `/devices?of=${of}s`, label: t(`devices.${of}s`) }}>
      <Shown of={thing}>
        {(data) => (
          <div className="stack">
            <Panel
              title={
                <>
                  <HealthTag state={data.state} /> <MaintenanceTag now={data.maintenance} />
                </>
              }
              beside={<Since at={data.since} reason={data.reason} />}
            >
              <What of={of} thing={data} />
              <Maintain of={of} thing={data} />
            </Panel>
            {of === 'sensor' && 'kind' in data && <OfKind id={id} kind={data.kind} />}
            <div className="grid2">
              {of === 'edge' ? <Counters values={data.values} /> : <EventsOf source={id} />}
              <HistoryOf path={`${path}/history`} of={of} id={id} />
            </div>
            {of === 'camera' && <Counters values={data.values} />}
            {'lon' in data && <Where of={data} />}
          </div>
        )}
      </Shown>
    </Page>
  );
}

/** Among the unit grids. */
function Where({ of: { lon, lat } }: { of: { lon: number; lat: number } }) {
  const { t } = useTranslation();
  const place = useMemo(() => ({ lon, lat, errorRadiusM: 0 }), [lon, lat]);
  return (
    <Panel title={t('devices.map')}>
      <Suspense fallback={<Waiting rows={4} />}>
        <PlaceMap place={place} />
      </Suspense>
    </Panel>
  );
}

function What({ of, thing }: { of: Of; thing: DeviceAnswer | CameraAnswer | EdgeAnswer }) {
  const { t } = useTranslation();
  const kindName = useKindName();
  const { lastSeenAt, firmware } = thing;
  if (!('lon' in thing))
    return (
      <Facts
        rows={[
          [t('field.lastSeen'), <Ago key="seen" at={lastSeenAt} />],
          [t('field.firmware'), firmware ?? '–'],
          [
            t('desired.edgeTitle'),
            <Link key="desired" to={`/devices/edge/${thing.id}/desired`}>
              {t('cameras.revisions')}
            </Link>,
          ],
          [t('devices.title'), t('devices.devicesOf', { n: thing.devices, c: thing.cameras, g: thing.cells })],
        ]}
      />
    );
  const sensor = of === 'sensor' && 'kind' in thing ? thing : null;
  const camera = 'zones' in thing ? thing : null;
  return (
    <Facts
      rows={[
        sensor && [t('field.kind'), kindName(sensor.kind)],
        [t('field.lastSeen'), <Ago key="seen" at={lastSeenAt} />],
        sensor && [t('field.lastReading'), <Ago key="read" at={sensor.lastReadingAt} />],
        sensor && [t('field.battery'), sensor.batteryV === null ? '–' : `${sensor.batteryV.toFixed(2)} V`],
        sensor && [t('field.signal'), sensor.rssiDbm === null ? '–' : `${sensor.rssiDbm} dBm`],
        [t('field.firmware'), firmware ?? '–'],
        camera && [t('field.zone'), t('devices.zones', { n: camera.zones })],
        [
          t('field.edge'),
          <Link key="edge" to={`/devices/edge/${thing.edge}`}>
            {thing.edge}
          </Link>,
        ],
        [t('field.cell'), thing.cell ?? '–'],
        [t('field.component'), thing.component ?? '–'],
        [t('field.place'), `${thing.lon.toFixed(6)}, ${thing.lat.toFixed(6)}`],
      ]}
    />
  );
}

function OfKind({ id, kind }: { id: string; kind: string }) {
  const known = useCatalogue()?.deviceKinds.find((k) => k.kind === kind);
  return known === undefined ? null : <Readings device={id} kind={known} />;
}
