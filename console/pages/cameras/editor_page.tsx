import type { ReactNode } from 'react';
import { useParams } from 'react-router';
import type { CameraAnswer, DesiredCameraAnswer } from '#grid/api/mod.ts';
import { useThing } from '../../api/mod.ts';
import { Page, Shown } from '../../parts/mod.ts';
import { useDesiredCamera } from './configuration.tsx';

type Editor = (camera: CameraAnswer, desired: DesiredCameraAnswer) => ReactNode;

/** A page on which something of a camera is changed: begins when the camera and what is wanted of it are there. */
export function EditorPage({ title, children }: { title: string; children: Editor }) {
  const { id = '' } = useParams();
  const camera = useThing<CameraAnswer>(['devices', 'camera', id], `/api/v1/cameras/${id}`);
  return (
    <Page title={`${title} · ${id}`} back={{ to: `/cameras/${id}`, label: id }}>
      <Shown of={camera}>{(known) => <Loaded camera={known}>{children}</Loaded>}</Shown>
    </Page>
  );
}

function Loaded({ camera, children }: { camera: CameraAnswer; children: Editor }) {
  const asked = useDesiredCamera(camera);
  return <Shown of={asked}>{(desired) => children(camera, desired)}</Shown>;
}
