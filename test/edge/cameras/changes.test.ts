import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test, vi } from 'vitest';
import { until } from '#test/support/until.ts';
import { h265Camera } from './coded.ts';
import { PATH, paintedCamera } from './painted.ts';
import { brightCamera, run, siteOf } from './running.ts';

// They wait for real processes; a busy machine needs longer, and a wrong result is told long before.
vi.setConfig({ testTimeout: 90_000 });
const PATIENCE = { timeoutMs: 40_000 };

test.concurrent('a node without a camera gets one, then another beside it that does not disturb the first', async ({
  expect,
  onTestFinished,
}) => {
  const painted = await paintedCamera(onTestFinished);
  const { pipeline, events } = await run(onTestFinished, painted, { cameras: [] });
  const first = brightCamera(painted);
  expect(await pipeline.apply(siteOf([first]))).toEqual([{ camera: 'cam-01', change: 'added' }]);
  await until(() => events[0], PATIENCE);
  const media = pipeline.media('cam-01');
  const ended: string[] = [];
  media?.subscribe({ init: () => {}, fragment: () => {}, ended: (reason) => ended.push(reason) });
  const second = brightCamera(painted, { id: 'cam-02', zones: [] });
  const faulty = brightCamera(painted, {
    id: 'cam-03',
    calibration: { points: first.calibration.points.map((p) => ({ ...p, lat: 0 })) },
  });
  expect(await pipeline.apply(siteOf([structuredClone(first), second, faulty]))).toEqual([
    { camera: 'cam-01', change: 'unchanged' },
    { camera: 'cam-02', change: 'added' },
    { camera: 'cam-03', change: 'refused', message: expect.any(String) },
  ]);
  await until(() => pipeline.stats().online === 2, PATIENCE);
  expect(events).toHaveLength(1);
  // Taken out and put to another address: the stream of the one ends, that of the other is opened anew.
  const moved = { ...second, url: `${second.url}?again` };
  expect(await pipeline.apply(siteOf([moved]))).toEqual([
    { camera: 'cam-01', change: 'removed' },
    { camera: 'cam-02', change: 'stream' },
  ]);
  expect([ended, pipeline.media('cam-01')]).toEqual([['stopped'], null]);
});

test.concurrent('another zone of a running camera leaves its stream alone; what was raised stays or is cleared with its rule', async ({
  expect,
  onTestFinished,
}) => {
  const painted = await paintedCamera(onTestFinished);
  const { pipeline, events, health } = await run(onTestFinished, painted);
  const raised = await until(() => events[0], PATIENCE);
  const [camera, media] = [brightCamera(painted), pipeline.media('cam-01')];
  const [zone] = camera.zones as [(typeof camera.zones)[number]];
  const slower = { ...camera, zones: [{ ...zone, rules: zone.rules.map((rule) => ({ ...rule, clearS: 3 })) }] };
  expect(await pipeline.apply(siteOf([slower]))).toEqual([{ camera: 'cam-01', change: 'rules' }]);
  await until(() => events.length === 2, PATIENCE);
  expect(events[1]).toEqual(raised);
  const other = { ...camera, zones: [{ ...zone, id: 'other' }] };
  await pipeline.apply(siteOf([other]));
  // The thing still stands there: cleared under the old rule, it is raised under the new one.
  const again = await until(() => events.find((e) => e.subject !== raised.subject), PATIENCE);
  expect(events.filter((e) => e.subject === raised.subject).at(-1)).toMatchObject({
    type: 'gewu.event.cleared',
    data: { revision: 2 },
  });
  expect(again.data.origin).toMatchObject({ zone: 'other' });
  expect(pipeline.media('cam-01')).toBe(media);
  expect(health.every((line) => line.of === 'camera' && line.state === 'online')).toBe(true);
});

test.concurrent('what a camera has raised is cleared with the camera, taken out while the node runs or while it is down', async ({
  expect,
  onTestFinished,
}) => {
  const painted = await paintedCamera(onTestFinished);
  const cameras = [brightCamera(painted), brightCamera(painted, { id: 'cam-02' })];
  const first = await run(onTestFinished, painted, { cameras });
  await until(() => first.events.length === 2, PATIENCE);
  await first.pipeline.apply(siteOf(cameras.slice(1)));
  const subjectOf = (camera: string) =>
    first.events.find(({ data }) => data.origin.by === 'camera' && data.origin.camera === camera)?.subject;
  expect(first.events[2]).toMatchObject({ type: 'gewu.event.cleared', subject: subjectOf('cam-01') });
  expect(first.health.at(-1)).toMatchObject({ id: 'cam-01', state: 'unknown', reason: 'removed' });
  await first.pipeline.stop();
  const second = await run(onTestFinished, painted, { cameras: [], dataDir: first.dataDir });
  await until(() => second.events.length > 0, PATIENCE);
  expect(second.events).toMatchObject([{ type: 'gewu.event.cleared', subject: subjectOf('cam-02'), data: { revision: 2 } }]);
  await second.pipeline.stop();
  expect(await readdir(join(first.dataDir, 'vision'))).toEqual([]);
});

test.concurrent('of two streams the smaller is analysed and the main one is what clips and live views are made of', async ({
  expect,
  onTestFinished,
}) => {
  const [sub, main] = [await paintedCamera(onTestFinished), await h265Camera(onTestFinished)];
  const { url: _, ...camera } = brightCamera(sub);
  const streams = { sub: { url: sub.url, transport: 'tcp' }, main: { url: main.url, transport: 'tcp' } } as const;
  const { pipeline, events } = await run(onTestFinished, sub, { cameras: [{ ...camera, streams }] });
  await until(() => pipeline.media('cam-01')?.since(0).length, PATIENCE);
  expect(pipeline.media('cam-01')?.init?.codec).toMatch(/^hev1/);
  await until(() => events[0], PATIENCE);
  // The main one goes on when the smaller one does not.
  sub.server.setFault(PATH, { kind: 'cut' });
  await until(() => pipeline.stats().online === 0, PATIENCE);
  const before = pipeline.media('cam-01')?.since(0).at(-1)?.ms ?? 0;
  await until(() => (pipeline.media('cam-01')?.since(0).at(-1)?.ms ?? 0) > before, PATIENCE);
});
