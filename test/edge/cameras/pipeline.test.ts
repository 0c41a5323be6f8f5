import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, vi } from 'vitest';
import type { SiteCamera } from '#grid/mod.ts';
import { checkEvent, checkHealthLine } from '#grid/wire/mod.ts';
import { createMetrics, silentLog } from '#service/mod.ts';
import { until } from '#test/support/until.ts';
import { Outbox } from '../../../edge/outbox/mod.ts';
import { ORIGIN, RULE, siteCamera } from '../vision/street.ts';
import { type Finish, ownDir, PATH, paintedCamera } from './painted.ts';
import { brightCamera, CELL, run, siteOf } from './running.ts';

// They wait for real processes; a busy machine needs longer, and a wrong result is told long before.
vi.setConfig({ testTimeout: 90_000 });

/** A centre that takes evidence and keeps it. */
async function evidenceCentre(onTestFinished: Finish) {
  const files = new Map<string, { event: string; bytes: Buffer }>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const bytes = Buffer.concat(chunks);
      files.set(request.url?.split('/').at(-1) ?? '', { event: String(request.headers['x-gewu-event']), bytes });
      response.writeHead(201).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, files };
}

test.concurrent('a thing that stands in view of a real stream becomes one event with its place and a picture, and clears when it is gone', async ({
  expect,
  onTestFinished,
}) => {
  const painted = await paintedCamera(onTestFinished);
  const centre = await evidenceCentre(onTestFinished);
  const { pipeline, events, health } = await run(onTestFinished, painted, { url: centre.url });
  const raised = await until(() => events[0], { timeoutMs: 40_000 });
  expect(checkEvent.Check(raised)).toBe(true);
  expect(raised).toMatchObject({
    type: 'gewu.event.raised',
    data: {
      revision: 1,
      class: { flag: 2, code: '0501' },
      place: { cell: CELL },
      origin: {
        by: 'camera',
        camera: 'cam-01',
        zone: 'all',
        model: 'bright-street@1',
        provenance: 'drawn-scenes',
        simulated: true,
      },
    },
  });
  expect(raised.data.confirmedAt).toBe(raised.data.startedAt + 2000);
  expect(raised.data.lastSeenAt - raised.data.confirmedAt).toBeLessThan(2000);
  const [evidence] = raised.data.evidence;
  const file = await until(() => centre.files.get(evidence?.sha256 ?? ''));
  expect(file.event).toBe(raised.subject);
  expect(createHash('sha256').update(file.bytes).digest('hex')).toBe(evidence?.sha256);
  expect(file.bytes.length).toBe(evidence?.bytes);
  painted.grey = 50;
  const cleared = await until(() => events[1], { timeoutMs: 40_000 });
  expect(cleared).toMatchObject({ type: 'gewu.event.cleared', subject: raised.subject, data: { revision: 2 } });
  expect(checkEvent.Check(cleared)).toBe(true);
  expect(pipeline.stats()).toMatchObject({ online: 1 });
  expect(pipeline.stats().analysedFps).toBeGreaterThan(1);
  for (const line of health) expect(checkHealthLine.Check(line)).toBe(true);
  expect(health[0]).toMatchObject({ of: 'camera', id: 'cam-01', state: 'online', reason: 'connected' });
});

test.concurrent('an active event survives a restart: told again as it was, not raised anew, cleared in the end', async ({
  expect,
  onTestFinished,
}) => {
  const painted = await paintedCamera(onTestFinished);
  const first = await run(onTestFinished, painted);
  const raised = await until(() => first.events[0], { timeoutMs: 40_000 });
  await first.pipeline.stop();
  const second = await run(onTestFinished, painted, { dataDir: first.dataDir });
  await until(() => second.pipeline.stats().analysedFps > 0, { timeoutMs: 40_000 });
  painted.grey = 50;
  await until(() => second.events.some((e) => e.type === 'gewu.event.cleared'), { timeoutMs: 40_000 });
  expect(second.events.map((e) => e.id)).toEqual([raised.id, `${raised.subject}.2`]);
  expect(second.events[0]).toEqual(raised);
});

test.concurrent('what a model that knows only drawn scenes finds on a real camera is recorded in shadow, until a person switches the class on', async ({
  expect,
  onTestFinished,
}) => {
  const painted = await paintedCamera(onTestFinished);
  const { pipeline, metrics, events, health } = await run(onTestFinished, painted, { camera: { simulated: false } });
  const online = await until(() => health.find((h) => h.of === 'camera' && h.state === 'online'), { timeoutMs: 40_000 });
  expect(online).toMatchObject({ reason: 'shadow' });
  const found = await until(() => events[0], { timeoutMs: 40_000 });
  expect(found.data).toMatchObject({ suppressed: 'shadow', origin: { provenance: 'drawn-scenes', simulated: false } });
  expect(checkEvent.Check(found)).toBe(true);
  expect((await metrics.getSingleMetric('gewu_camera_shadow_events_total')?.get())?.values[0]?.value).toBe(1);
  const approval = { model: 'bright-street@1', by: 'li', at: '2026-11-23T08:00:00+08:00', judged: 40, precision: 0.95 };
  const approved = (approvals: NonNullable<SiteCamera['approvals']>) =>
    pipeline.apply(siteOf([brightCamera(painted, { simulated: false, approvals })]));
  await approved([
    { ...approval, detects: 'garbage' },
    { ...approval, detects: RULE.detects, model: 'bright-street@0' },
  ]);
  expect(await approved([{ ...approval, detects: RULE.detects }])).toEqual([{ camera: 'cam-01', change: 'rules' }]);
  const aloud = await until(() => events.find((e) => e.data.suppressed === undefined), { timeoutMs: 40_000 });
  // The other class and the other model switched nothing on.
  expect(aloud).toMatchObject({ subject: found.subject, data: { revision: 2, origin: { approved: true } } });
  expect(checkEvent.Check(aloud)).toBe(true);
  await until(() => health.some((h) => h.of === 'camera' && h.reason === 'connected'), { timeoutMs: 40_000 });
});

test.concurrent('a camera that goes away is offline within seconds, never an all-clear, and is back by itself', async ({
  expect,
  onTestFinished,
}) => {
  const painted = await paintedCamera(onTestFinished);
  const { events, health } = await run(onTestFinished, painted);
  await until(() => events[0], { timeoutMs: 40_000 });
  painted.server.setFault(PATH, { kind: 'freeze' });
  const offline = await until(() => health.find((h) => h.of === 'camera' && h.state === 'offline'), { timeoutMs: 40_000 });
  expect(offline).toMatchObject({ of: 'camera', id: 'cam-01', reason: 'stalled' });
  painted.server.setFault(PATH, null);
  await until(() => health.at(-1)?.of === 'camera' && (health.at(-1) as { state: string }).state === 'online', {
    timeoutMs: 40_000,
  });
  expect(events.map((e) => e.type)).toEqual(['gewu.event.raised']);
});

test.concurrent('a camera whose calibration is wrong is reported and left out', async ({ expect, onTestFinished }) => {
  const painted = await paintedCamera(onTestFinished);
  const calibration = siteCamera().calibration;
  const points = calibration.points.map((p) => ({ ...p, lat: ORIGIN.lat }));
  const { pipeline, health } = await run(onTestFinished, painted, { camera: { calibration: { points } } });
  expect(health[0]).toMatchObject({ of: 'camera', state: 'offline', reason: 'calibration' });
  expect(pipeline.stats()).toEqual({ online: 0, analysedFps: 0, droppedFrames: 0 });
});

test('a disk whose sync takes 50 ms, with sensors that keep it busy, costs a camera no frame', async ({
  expect,
  onTestFinished,
}) => {
  const file = join(await ownDir(onTestFinished), 'o.db');
  const options = { file, quotaBytes: 1e9, ageMsMax: 1e12, syncDelayMs: 50 };
  const outbox = new Outbox({ ...options, log: silentLog, metrics: createMetrics() });
  await outbox.start();
  const line = Buffer.from('streetlight,cell=110101001001017,device=sl-1,edge=edge-01 lux=3,seq=1 1736889600000001');
  let [busy, stored] = [true, 0];
  const sensors = Array.from({ length: 200 }, async () => {
    for (; busy; stored++) await outbox.append('readings', [line]);
  });
  onTestFinished(async () => {
    busy = false;
    await Promise.all(sensors);
    await outbox.stop();
  });
  const store = (record: object) => outbox.append('events', [Buffer.from(JSON.stringify(record))]);
  const { pipeline, metrics } = await run(onTestFinished, await paintedCamera(onTestFinished), { store });
  const analysed = async () => (await metrics.getSingleMetric('gewu_camera_frames_analysed_total')?.get())?.values[0]?.value ?? 0;
  await until(async () => (await analysed()) > 0, { timeoutMs: 40_000 });
  const [before, dropped, beganAt] = [await analysed(), pipeline.stats().droppedFrames, performance.now()];
  await until(async () => (await analysed()) >= before + 16, { timeoutMs: 20_000 });
  // The camera sends four frames a second.
  expect(performance.now() - beganAt).toBeLessThan(5_500);
  expect(pipeline.stats().droppedFrames - dropped).toBe(0);
  expect(stored).toBeGreaterThan(1_000);
});

test('what stands in an excluded polygon is no event', async ({ expect, onTestFinished }) => {
  const everything: [number, number][] = [
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 1],
  ];
  const { metrics, events } = await run(onTestFinished, await paintedCamera(onTestFinished), {
    camera: { exclude: [everything] },
  });
  const analysed = async () => (await metrics.getSingleMetric('gewu_camera_frames_analysed_total')?.get())?.values[0]?.value ?? 0;
  // Without it the event is there after nine: two seconds at four a second.
  await until(async () => (await analysed()) >= 20, { timeoutMs: 60_000 });
  expect(events).toEqual([]);
});
