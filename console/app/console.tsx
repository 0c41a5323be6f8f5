import { QueryClientProvider } from '@tanstack/react-query';
import { Suspense, useEffect, useState } from 'react';
import { createBrowserRouter, Navigate, Route, RouterProvider, Routes, useLocation } from 'react-router';
import { createQueries, follow, rememberSession, useSession } from '../api/mod.ts';
import { Failure, Waiting } from '../parts/mod.ts';
import { Boundary, loaded } from './boundary.tsx';
import { Shell } from './shell.tsx';
import { SignIn } from './sign_in.tsx';
import { Themed } from './theme.tsx';

/** Each page is loaded when somebody goes there: map and charts cost nothing before. */
const Situation = loaded(() => import('../pages/situation/mod.ts'));
const Events = loaded(() => import('../pages/events/mod.ts'));
const Cases = loaded(() => import('../pages/cases/mod.ts'));
const Case = loaded(() => import('../pages/cases/one.ts'));
const Devices = loaded(() => import('../pages/devices/mod.ts'));
const Device = loaded(() => import('../pages/devices/one.ts'));
const Cameras = loaded(() => import('../pages/cameras/mod.ts'));
const Camera = loaded(() => import('../pages/cameras/one.ts'));
const CameraZones = loaded(() => import('../pages/cameras/zones.ts'));
const CameraCalibration = loaded(() => import('../pages/cameras/calibration.ts'));
const Desired = loaded(() => import('../pages/desired/mod.ts'));
const Pipeline = loaded(() => import('../pages/pipeline/mod.ts'));
const Notify = loaded(() => import('../pages/notify/mod.ts'));
const Acknowledge = loaded(() => import('../pages/notify/acknowledge_page.ts'));
const Users = loaded(() => import('../pages/users/mod.ts'));
const Account = loaded(() => import('../pages/account/mod.ts'));

/** The composition root of the console. */
export function Console() {
  const [queries] = useState(() => {
    const client = createQueries(() => {
      rememberSession(null);
      client.setQueryData(['session'], null);
    });
    return client;
  });
  const [router] = useState(() => {
    const element = (
      <Boundary>
        <Gate follow={() => follow(queries)} />
      </Boundary>
    );
    // Of this kind, because only it can hold back who would leave a draft.
    return createBrowserRouter([{ path: '*', element }]);
  });
  return (
    <QueryClientProvider client={queries}>
      <Themed>
        {/* A key that is pressed while a transition waits would act on the page before. */}
        <RouterProvider router={router} useTransitions={false} />
      </Themed>
    </QueryClientProvider>
  );
}

/** Nobody sees a page before the centre knows who asks. */
function Gate({ follow: start }: { follow: () => () => void }) {
  const { session, error } = useSession();
  const name = session?.name;
  const { pathname } = useLocation();
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
      <Boundary of={pathname}>
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
      </Boundary>
    </Shell>
  );
}
