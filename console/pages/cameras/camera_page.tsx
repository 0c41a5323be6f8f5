import { CameraOutlined } from '@ant-design/icons';
import { App, Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import type { CameraAnswer } from '#grid/api/mod.ts';
import { call, useMay, useThing } from '../../api/mod.ts';
import {
  Ago,
  AskReason,
  Counters,
  EventsOf,
  Facts,
  HealthTag,
  HistoryOf,
  Moment,
  Page,
  Panel,
  Shown,
  Since,
} from '../../parts/mod.ts';
import { Approvals } from './approvals.tsx';
import { Configuration } from './configuration.tsx';
import { LiveView } from './live_view.tsx';
import { OverlaySwitches, useOverlays } from './overlays.tsx';
import { RawSwitch, useLooking } from './raw.tsx';

/** One camera: what it sees, how it is and was, what is set of it, what it has reported. */
export function CameraPage() {
  const { t } = useTranslation();
  const { id = '' } = useParams();
  const path = `/api/v1/cameras/${id}`;
  const asked = useThing<CameraAnswer>(['devices', 'camera', id], path);
  return (
    <Page title={id} back={{ to: '/cameras', label: t('cameras.title') }}>
      <Shown of={asked}>
        {(camera) => (
          <div className="stack">
            <div className="grid2">
              <Looking id={id} />
              <div className="stack">
                <Panel title={<HealthTag state={camera.state} />} beside={<Since at={camera.since} reason={camera.reason} />}>
                  <What camera={camera} />
                </Panel>
                <HistoryOf path={`${path}/history`} of="camera" id={id} />
              </div>
            </div>
            <div className="grid2">
              <Configuration camera={camera} />
              <Approvals camera={id} />
            </div>
            <div className="grid2">
              <EventsOf source={id} />
              <Counters values={camera.values} />
            </div>
          </div>
        )}
      </Shown>
    </Page>
  );
}

function Looking({ id }: { id: string }) {
  const { t } = useTranslation();
  const overlays = useOverlays();
  const looking = useLooking(id);
  const { live, grant } = looking;
  return (
    <Panel title={t('cameras.live')} beside={<OverlaySwitches />}>
      <div className="camera-picture large">
        <LiveView
          key={grant?.id ?? 'masked'}
          camera={id}
          grant={grant?.id ?? null}
          lastAt={live?.snapshotAt}
          overlays={overlays}
        />
      </div>
      <div className="bar">
        <RawSwitch camera={id} {...looking} />
        <Reference camera={id} />
        <span className="dim small">
          {grant === null ? t('cameras.maskedHint') : grant.purpose}
          {live !== undefined && live.viewers > 1 && ` · ${t('cameras.viewers', { n: live.viewers })}`}
        </span>
      </div>
    </Panel>
  );
}

/** After somebody has moved the camera on purpose. */
function Reference({ camera }: { camera: string }) {
  const { t } = useTranslation();
  const { ops } = useMay();
  const { message } = App.useApp();
  const [asking, setAsking] = useState(false);
  if (!ops) return null;
  const learn = async (reason: string) => {
    await call(`/api/v1/cameras/${camera}/reference`, { method: 'POST', body: { reason } });
    void message.success(t('cameras.referenceAsked'));
  };
  return (
    <>
      <Button icon={<CameraOutlined />} onClick={() => setAsking(true)}>
        {t('cameras.reference')}
      </Button>
      {asking && (
        <AskReason
          title={t('cameras.reference')}
          hint={t('cameras.referenceMeans')}
          action={t('cameras.reference')}
          onAct={learn}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}

function What({ camera }: { camera: CameraAnswer }) {
  const { t } = useTranslation();
  const { edge, cell, component, lon, lat, values } = camera;
  return (
    <Facts
      rows={[
        [t('field.since'), <Moment key="since" at={camera.since} />],
        [t('field.lastSeen'), <Ago key="seen" at={camera.lastSeenAt} />],
        [t('cameras.rate'), t('cameras.fps', { n: (values.analysedFps ?? 0).toFixed(1) })],
        [
          t('field.edge'),
          <Link key="edge" to={`/devices/edge/${edge}`}>
            {edge}
          </Link>,
        ],
        [t('field.cell'), cell ?? '–'],
        [t('field.component'), component ?? '–'],
        [t('field.place'), `${lon.toFixed(6)}, ${lat.toFixed(6)}`],
        [
          t('cameras.upkeep'),
          <Link key="upkeep" to={`/devices/camera/${camera.id}`}>
            {t('cameras.upkeepLink')} ›
          </Link>,
        ],
      ]}
    />
  );
}
