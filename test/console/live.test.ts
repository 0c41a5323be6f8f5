import { expect, onTestFinished, test, vi } from 'vitest';
import { createStreetRenderer, sceneAt } from '#simulators/cameras/mod.ts';
import { h265Camera } from '../edge/cameras/coded.ts';
import { drawnCamera, drawnStreet } from '../edge/cameras/drawn.ts';
import { PASSWORD, paintedCamera, USERNAME } from '../edge/cameras/painted.ts';
import { brightCamera } from '../edge/cameras/running.ts';
import { apiSection, type LiveSystem, startSystem } from '../edge/live/system.ts';
import { POSE, RULE, STREET, siteCamera } from '../edge/vision/street.ts';
import { TestCentre, tokenOf, type Who } from '../ingest/api/fixture.ts';
import { rawGrant } from '../support/live.ts';
import { LivePage } from './page.ts';

// They wait for real processes and a real browser; a busy machine needs longer, and a wrong result is told long before.
vi.setConfig({ testTimeout: 120_000 });
const PATIENT = { timeout: 40_000, interval: 100 };

const CREDENTIALS = { username: USERNAME, password: PASSWORD };
const PLAN = {
  durationMs: 120_000,
  incidents: [
    {
      ...{ id: 'stall-1', class: 'stall' as const, place: { alongM: 4, acrossM: -5.5 } },
      ...{ fromMs: -10_000, standsMs: 600_000, seed: 12 },
    },
  ],
  walkersPerMinute: 12,
};

/** Where the stall is, fractions of the picture. */
function truth(): number[] {
  const script = drawnStreet(PLAN);
  const { street, light } = script;
  const picture = createStreetRenderer(STREET, POSE).render({ street, light, objects: sceneAt(script, 5000), ts: 0 });
  const stall = picture.truth.find((t) => t.class === 'stall');
  const [left = 0, top = 0, right = 0, bottom = 0] = stall?.box ?? [];
  return [left / POSE.widthPx, top / POSE.heightPx, right / POSE.widthPx, bottom / POSE.heightPx];
}

function overlap(a: readonly number[], b: readonly number[]): number {
  const [al = 0, at = 0, ar = 0, ab = 0] = a;
  const [bl = 0, bt = 0, br = 0, bb = 0] = b;
  const common = Math.max(0, Math.min(ar, br) - Math.max(al, bl)) * Math.max(0, Math.min(ab, bb) - Math.max(at, bt));
  return common / ((ar - al) * (ab - at) + (br - bl) * (bb - bt) - common);
}

async function openPage(): Promise<LivePage> {
  const page = await LivePage.open();
  onTestFinished(() => page.close());
  return page;
}

function options({ centre }: Pick<LiveSystem, 'centre'>, who: Who, more: object): object {
  return { camera: 'cam-01', url: `${centre.centre.apiUrl.replace('http', 'ws')}/api/v1/live`, token: tokenOf(who), ...more };
}

test('in a browser: masked and raw, boxes over the right thing; a camera that goes away and comes back; the end of a grant, and of a masked view', async () => {
  const camera = await drawnCamera(onTestFinished, PLAN, { fps: 10 });
  const page = await openPage();
  const zones: ReturnType<typeof siteCamera>['zones'] = [
    {
      id: 'all',
      polygon: [
        [0.02, 0.1],
        [0.98, 0.1],
        [0.98, 0.98],
        [0.02, 0.98],
      ],
      rules: [{ ...RULE, dwellS: 1 }],
    },
  ];
  const site = siteCamera({ url: camera.url, ...CREDENTIALS, fps: 4, zones });
  const api = { origins: [page.origin] };
  const system = await startSystem({ cameras: [site], model: 'models/street-drawn', api, edgeLive: { maskedFpsMax: 4 } });
  // One whose views are over after three seconds, and whose edge is away.
  const brief = await TestCentre.start({ live: { viewMinutesMax: 0.05 }, ...apiSection(api) });
  onTestFinished(() => brief.stop());
  await page.look('brief', options({ centre: brief }, 'viewer', { view: 'masked', camera: 'cam-1' }));
  const grant = await rawGrant(system.centre, 'ops', { camera: 'cam-01' });
  await page.look('masked', options(system, 'viewer', { view: 'masked' }));
  await page.look('raw', options(system, 'ops', { view: 'raw', grant }));
  for (const name of ['masked', 'raw']) {
    const boxes = async () => (await page.shown(name)).boxes.filter((b) => b.class === 'stall');
    await expect
      .poll(async () => Math.max(0, ...(await boxes()).map((b) => overlap(b.box, truth()))), PATIENT)
      .toBeGreaterThan(0.5);
    expect((await page.shown(name)).boxes.map((b) => b.class)).not.toContain('person');
  }
  // What is drawn stands where the browser shows it: the strong colour of a box on its upper edge.
  const [left = 0, top = 0, right = 0] = truth();
  await expect.poll(() => page.drawnAt('raw', [(left + right) / 2, top]), PATIENT).toBe(true);
  // Sharp where the stall is, and in the masked view only there.
  await expect.poll(() => page.detail('masked', truth()), PATIENT).toBeGreaterThan(10);
  expect(await page.detail('masked', [0.4, 0.7, 0.6, 0.9])).toBeLessThan(3);
  await page.screenshot('live-street');

  const { shownAt } = await page.shown('raw');
  camera.setFault({ kind: 'cut' });
  await new Promise((resolve) => setTimeout(resolve, 1000));
  camera.setFault(null);
  await expect.poll(async () => (await page.shown('raw')).shownAt ?? 0, PATIENT).toBeGreaterThan((shownAt ?? 0) + 3000);

  await system.centre.post(`/api/v1/grants/${grant}/end`, 'ops');
  await expect.poll(() => page.status('raw'), PATIENT).toMatchObject({ phase: 'ended', code: 'GEWU_LIVE_OVER' });
  expect(await page.pictures('raw')).toBe(0);
  // A masked view goes on by itself, a raw one does not.
  await expect
    .poll(async () => (await page.phases('brief')).join(), PATIENT)
    .toMatch(/waiting,GEWU_LIVE_OVER,connecting,waiting/);
  expect((await page.phases('raw')).at(-1)).toBe('GEWU_LIVE_OVER');
  expect(page.faults).toEqual([]);
});

test('in a browser: boxes belong to the picture that is shown; H.265 comes as MPEG-1', async ({ onTestFinished: finish }) => {
  const [painted, h265, page] = [await paintedCamera(finish), await h265Camera(finish), await openPage()];
  const cameras = [brightCamera(painted, { fps: 10 }), siteCamera({ id: 'cam-02', url: h265.url, ...CREDENTIALS })];
  const system = await startSystem({ cameras, api: { origins: [page.origin] } });
  const grants = [
    await rawGrant(system.centre, 'ops', { camera: 'cam-01' }),
    await rawGrant(system.centre, 'ops', { camera: 'cam-02' }),
  ];
  await page.look('one', options(system, 'ops', { view: 'raw', grant: grants[0] }));
  await page.look('two', options(system, 'ops', { view: 'raw', grant: grants[1], camera: 'cam-02' }));
  await expect.poll(async () => (await page.shown('two')).shownAt, PATIENT).not.toBeNull();
  expect(await page.mean('two')).toBeGreaterThan(150);
  // The picture turns bright and dark; the model sees a thing in a bright one.
  const flash = setInterval(() => {
    painted.grey = painted.grey > 100 ? 40 : 200;
  }, 1500);
  finish(() => clearInterval(flash));
  await expect.poll(async () => (await page.shown('one')).boxes.length, PATIENT).toBeGreaterThan(0);
  const agreed = await page.agreement('one', 6000);
  // A thing is known after two pictures, and what was lost a moment ago is waited for.
  expect(agreed).toBeGreaterThan(0.7);
  await page.screenshot('live-flash');
  expect(page.faults).toEqual([]);
});
