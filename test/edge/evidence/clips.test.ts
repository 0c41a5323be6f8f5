import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { paintedCamera } from '../../edge/cameras/painted.ts';
import { brightCamera, run } from '../../edge/cameras/running.ts';
import { until } from '../../support/until.ts';

test('a clip that waits when the node stops is made after the next start; of one that was killed before its stream was kept nothing is left but a word', async () => {
  const painted = await paintedCamera(onTestFinished);
  // So long that there is enough of the stream at the moment of the event.
  const zones = brightCamera(painted).zones.map((z) => ({ ...z, rules: z.rules.map((r) => ({ ...r, dwellS: 4 })) }));
  const options = { clips: true, camera: { zones } };
  const first = await run(onTestFinished, painted, options);
  const orders = join(first.dataDir, 'evidence/clips');
  const raised = await until(() => first.events.find((e) => e.type === 'gewu.event.raised'), { timeoutMs: 30_000 });
  const kept = async () => JSON.parse(await readFile(join(orders, `${raised.subject}.json`), 'utf8'));
  // As a kill in these seconds leaves it.
  const killed = await until(kept);
  expect(killed).toMatchObject({ event: raised.subject, camera: 'cam-01', cut: null });
  await first.pipeline.stop();
  await first.closeEvidence();
  const { cut } = await kept();
  expect(cut.lengthS).toBeGreaterThan(2);
  // As many pictures a second as the camera sends: ten, or what a busy machine paints, and those at once that it had kept for who
  // connects: a second of them, and as much again for the clocks.
  expect(cut.fps).toBeGreaterThan(1);
  expect(cut.fps).toBeLessThan((10 * (cut.lengthS + 2)) / cut.lengthS);
  expect(first.events.some((e) => e.data.evidence.some((f) => f.mediaType === 'video/mp4'))).toBe(false);

  await writeFile(join(orders, 'other.json'), JSON.stringify({ ...killed, event: 'other' }));
  const second = await run(onTestFinished, painted, { ...options, dataDir: first.dataDir });
  const isProved = (e: (typeof second.events)[0]) =>
    e.subject === raised.subject && e.data.evidence.some((f) => f.mediaType === 'video/mp4');
  const proved = await until(() => second.events.find(isProved), { timeoutMs: 60_000 });
  const clip = proved.data.evidence.find((f) => f.mediaType === 'video/mp4');
  // Its original is the one that was kept before, and its time is that of the event.
  expect(clip?.signed?.manifest).toMatchObject({
    kind: 'clip',
    masked: true,
    original: cut.original,
    takenAt: cut.about.takenAt,
  });
  expect(proved.data.revision).toBeGreaterThan(raised.data.revision);
  await until(async () => !(await readdir(orders)).some((name) => name.startsWith(raised.subject) || name.startsWith('other')));
}, 120_000);
