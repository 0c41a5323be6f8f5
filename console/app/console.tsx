import { QueryClientProvider } from '@tanstack/react-query';
import { Button, Result } from 'antd';
import { Component, lazy, type ReactNode, Suspense, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { BrowserRouter, Navigate, Route, Routes } from 'react-router';
import { createQueries, follow, rememberSession, useSession } from '../api/mod.ts';
import { Failure, Waiting } from '../parts/mod.ts';
import { Shell } from './shell.tsx';
import { SignIn } from './sign_in.tsx';
import { Themed } from './theme.tsx';

/** Each page is loaded when somebody goes there: map and charts cost nothing before. */
const Situation = lazy(() => import('../pages/situation/mod.ts'));
const Events = lazy(() => import('../pages/events/mod.ts'));
const Cases = lazy(() => import('../pages/cases/mod.ts'));
const Case = lazy(() => import('../pages/cases/one.ts'));
const Devices = lazy(() => import('../pages/devices/mod.ts'));
const Device = lazy(() => import('../pages/devices/one.ts'));
const Cameras = lazy(() => import('../pages/cameras/mod.ts'));
const Camera = lazy(() => import('../pages/cameras/one.ts'));
const CameraZones = lazy(() => import('../pages/cameras/zones.ts'));
const CameraCalibration = lazy(() => import('../pages/cameras/calibration.ts'));
const Desired = lazy(() => import('../pages/desired/mod.ts'));
const Pipeline = lazy(() => import('../pages/pipeline/mod.ts'));
const Notify = lazy(() => import('../pages/notify/mod.ts'));
const Acknowledge = lazy(() => import('../pages/notify/acknowledge_page.ts'));
const Users = lazy(() => import('../pages/users/mod.ts'));
const Account = lazy(() => import('../pages/account/mod.ts'));

/** The composition root of the console. */
export function Console() {
  const [queries] = useState(() => {
    const client = createQueries(() => {
      rememberSession(null);
      client.setQueryData(['session'], null);
    });
    return client;
  });
  return (
    <QueryClientProvider client={queries}>
      <Themed>
        <Boundary>
          {/* A key that is pressed while a transition waits would act on the page before. */}
          <BrowserRouter useTransitions={false}>
            <Gate follow={() => follow(queries)} />
          </BrowserRouter>
        </Boundary>
      </Themed>
    </QueryClientProvider>
  );
}

/** Nobody sees a page before the centre knows who asks. */
function Gate({ follow: start }: { follow: () => () => void }) {
  const { session, error } = useSession();
  const name = session?.name;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another account is another stream
  useEffect(() => (name === undefined ? undefined : start()), [name]);
  if (session === undefined) return error === null ? <Waiting /> : <Failure error={error} />;
  if (session === null)
    return (
      <Suspense fallback={<Waiting />}>
        <Routes>
          <Route path="/acknowledge" element={<Acknowledge />} />
          <Route path="*" element={<SignIn />} />
        </Routes>
      </Suspense>
    );
  return (
    <Shell>
      <Suspense fallback={<Waiting />}>
        <Routes>
          <Route path="/" element={<Situation />} />
          <Route path="/events" element={<Events />} />
          <Route path="/events/:id" element={<Events />} />
          <Route path="/cases" element={<Cases />} />
          <Route path="/cases/:id" element={<Case />} />
          <Route path="/devices" element={<Devices />} />
          <Route path="/devices/:of/:id" element={<Device />} />
          <Route path="/devices/edge/:id/desired" element={<Desired />} />
          <Route path="/cameras" element={<Cameras />} />
          <Route path="/cameras/:id" element={<Camera />} />
          <Route path="/cameras/:id/zones" element={<CameraZones />} />
          <Route path="/cameras/:id/calibration" element={<CameraCalibration />} />
          <Route path="/pipeline" element={<Pipeline />} />
          <Route path="/notify" element={<Notify />} />
          <Route path="/acknowledge" element={<Acknowledge />} />
          <Route path="/users" element={<Users />} />
          <Route path="/account" element={<Account />} />
          <Route path="*" element={<Navigate to="/" replace />} />
        </Routes>
      </Suspense>
    </Shell>
  );
}

/** A fault of ours is said, not shown as an empty page. */
class Boundary extends Component<{ children: ReactNode }, { fault: Error | null }> {
  override state = { fault: null as Error | null };

  static getDerivedStateFromError(fault: Error) {
    return { fault };
  }

  override render() {
    return this.state.fault === null ? this.props.children : <Fault fault={this.state.fault} />;
  }
}

function Fault({ fault }: { fault: Error }) {
  const { t } = useTranslation();
  return (
    <Result
      status="error"
      title={t('state.error')}
      subTitle={fault.message}
      extra={<Button onClick={() => location.reload()}>{t('action.retry')}</Button>}
    />
  );
}
