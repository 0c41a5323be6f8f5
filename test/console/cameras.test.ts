import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { tempDir } from '../support/temp.ts';
import { DrawnStreet, GROUND, groundErrorM, POSE, stallBox } from './drawn_camera.ts';
import { City, type Page, picture, settled, soon } from './fixture.ts';
import { looksSuite } from './looks.suite.ts';

// They wait for real processes; a busy machine needs longer, and a wrong result is told long before.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

/** A centre, an edge that looks at a drawn street by two cameras, and a browser: all steps share them. */
const [LOOKED_AT, FROZEN] = ['cam-01', 'cam-02'] as const;
const street = new DrawnStreet();
let dir: string;
let city: City;

beforeAll(async () => {
  dir = await tempDir({ keep: true });
  await street.start([LOOKED_AT, FROZEN]);
  city = await City.start(dir, {
    centre: { approvals: { judgedMin: 1, precisionMin: 0.5 } },
    site: street.site(),
    file: { vision: { model: join(import.meta.dirname, '../../models/street-drawn'), workers: 1 } },
  });
  const online = (a: { items: { state: string }[] }) => a.items.every(({ state }) => state === 'online');
  await city.reached('/api/v1/cameras', online, 'both cameras online');
});
afterAll(async () => {
  await city?.stop();
  await street.stop();
  await rm(dir, { recursive: true, force: true });
});

/** Whether a live view shows something: its canvas or video has a picture that is not all one colour. */
const playing = (page: Page) => page.locator('.live-view[data-phase="playing"]').count();

/** Where the map of the calibration page shows a place: Web Mercator around the camera. */
async function clickMap(page: Page, place: { lon: number; lat: number }): Promise<void> {
  const world = 512 * 2 ** 18.5;
  const at = ({ lon, lat }: { lon: number; lat: number }) => [
    (world * (lon + 180)) / 360,
    (world * (1 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI)) / 2,
  ];
  const [[x = 0, y = 0], [cx = 0, cy = 0]] = [at(place), at(POSE)];
  const box = (await page.locator('.ground-map').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  await page.mouse.click(box.x + box.width / 2 + x - cx, box.y + box.height / 2 + y - cy);
}

/** What the edge keeps of what the centre wants of it. */
const atTheEdge = () => readFile(join(dir, 'edge/desired/desired.json'), 'utf8');

test('the wall plays masked live views of what is in sight, and stops those that are not', async () => {
  const page = await city.signIn('viewer');
  await city.go(page, '/cameras');
  await soon(() => playing(page)).toBe(2);
  await picture(page, 'wall');
  expect(await page.getByText('实时 · 打码').count()).toBe(2);
  // Pictures instead of live views: what was live is given back.
  const viewers = async () => (await city.installation.api.get<{ viewers: number }>(`/api/v1/cameras/${LOOKED_AT}/live`)).viewers;
  expect(await viewers()).toBe(1);
  await page.getByText('证据图片').click();
  await soon(viewers).toBe(0);
  // A viewer is offered no raw view.
  await city.go(page, `/cameras/${LOOKED_AT}`);
  await soon(() => playing(page)).toBe(1);
  expect(await page.getByRole('button', { name: '查看原始画面' }).count()).toBe(0);
  await page.close();
});

test('a raw view takes a purpose and an end, and is written down', async () => {
  const page = await city.signIn('ops');
  await city.go(page, `/cameras/${LOOKED_AT}`);
  await page.getByRole('button', { name: '查看原始画面' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('textarea').fill('太短');
  await dialog.locator('button[type="submit"]').click();
  await dialog.getByText('至少 8 个字').waitFor();
  await dialog.locator('textarea').fill('核对摊位占道的位置，准备标定');
  await dialog.locator('button[type="submit"]').click();
  await page.getByText('实时 · 原始画面').waitFor();
  await picture(page, 'camera-raw');
  await page.getByRole('button', { name: '重取参考画面' }).click();
  await page.getByRole('dialog').locator('textarea').fill('重新安装');
  await page.getByRole('dialog').locator('button[type="submit"]').click();
  await page.getByText('已通知边缘节点').waitFor();
  await page.getByRole('button', { name: '恢复打码' }).click();
  await page.getByText('实时 · 打码').waitFor();
  const { items } = await city.installation.api.get<{ items: { action: string; actor: string; purpose: string | null }[] }>(
    '/api/v1/audit?actor=ops',
  );
  expect(items.map((i) => i.action)).toEqual(expect.arrayContaining(['grant-created', 'raw-view-started', 'grant-ended']));
  await page.close();
});

test('an ops engineer draws a zone over a stall, is told of a mistake, and gets an event from it', async () => {
  const page = await city.signIn('ops');
  await city.go(page, `/cameras/${LOOKED_AT}/zones`);
  await soon(() => playing(page)).toBe(1);
  await page.getByRole('button', { name: '添加区域' }).click();
  const [left, top, right, bottom] = stallBox();
  const box = (await page.locator('.draw').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  for (const [x, y] of [
    [left, top],
    [right, top],
    [right, bottom + 0.06],
    [left, bottom + 0.06],
  ] as const)
    await page.mouse.click(box.x + x * box.width, box.y + y * box.height);
  await page.keyboard.press('Enter');
  // By keyboard: the last corner two large steps to the left.
  await page.locator('button.corner').nth(3).focus();
  await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('Shift+ArrowLeft');
  // What the edge would refuse is told at its field, and cannot be sent.
  await page.getByLabel('停留（秒）').fill('-3');
  await page.locator('.ant-form-item-explain-error').first().waitFor();
  await page.getByLabel('理由', { exact: true }).fill('摊位占道');
  const push = page.getByRole('button', { name: '下发到边缘节点' });
  expect(await push.isDisabled()).toBe(true);
  await page.getByLabel('停留（秒）').fill('2');
  await page.getByLabel('最低置信度').fill('0.3');
  // At every hour, said by a window.
  const schedule = page.locator('fieldset.windows').first();
  await schedule.getByRole('button').click();
  await schedule.locator('input.clock').first().fill('00:00');
  await schedule.locator('input.clock').last().fill('24:00');
  await soon(() => push.isEnabled()).toBe(true);
  await picture(page, 'zones');
  await push.click();
  await page.locator('.push .tag[data-status="confirmed"]').waitFor({ timeout: 60_000 });
  expect(await atTheEdge()).toContain('"schedule":[{"from":"00:00","to":"24:00"}]');
  type Events = { items: { record: { data: { origin: { zone: string; camera: string } } } }[] };
  const { items } = await city.reached<Events>(`/api/v1/events?source=${LOOKED_AT}`, (a) => a.items.length > 0, 'the event');
  expect(items[0]?.record.data.origin).toMatchObject({ camera: LOOKED_AT, zone: 'zone-1' });
  await page.close();
});

test('two work on the zones of one camera: nobody overwrites what he has not seen, and a draft is not left by mistake', async () => {
  const [first, second] = [await city.signIn('ops'), await city.signIn('administrator')];
  const path = `/api/v1/edges/edge-01/desired/cameras/${LOOKED_AT}`;
  type Camera = { revision: number; zones: { rules: { clearS: number }[] }[] };
  const clearS = async () => (await city.installation.api.get<Camera>(path)).zones[0]?.rules[0]?.clearS;
  const edit = async (page: Page, seconds: number) => {
    await page.getByLabel('消失后恢复（秒）').fill(String(seconds));
    await page.getByLabel('理由', { exact: true }).fill(`消失后 ${seconds} 秒`);
    await soon(() => page.locator('.push .ant-btn-primary').isEnabled()).toBe(true);
  };
  for (const page of [first, second]) await city.go(page, `/cameras/${LOOKED_AT}/zones?zone=zones.0`);
  await edit(first, 30);
  await edit(second, 40);
  // The first one does not hear of it before he sends.
  await first.route('**/desired/cameras/**', (route) => (route.request().method() === 'GET' ? route.abort() : route.continue()));
  await second.getByRole('button', { name: '下发到边缘节点' }).click();
  await second.locator('.push .tag[data-status="confirmed"][data-revision="2"]').waitFor({ timeout: 60_000 });
  expect(await clearS()).toBe(40);
  await first.unroute('**/desired/cameras/**');
  // He may have heard of it by now: then there is nothing to send.
  await first
    .getByRole('button', { name: '下发到边缘节点' })
    .click({ timeout: 1000 })
    .catch(() => undefined);
  await first.getByText('他人修改了同一部分').waitFor();
  await first.locator('.push q', { hasText: '消失后 40 秒' }).waitFor();
  await first.locator('.push .difference tr', { hasText: 'clearS' }).getByText('40').waitFor();
  expect(await clearS()).toBe(40);
  await picture(first, 'zones-overtaken');
  await first.getByRole('button', { name: '覆盖他人的改动并下发' }).click();
  await first.locator('.push .tag[data-status="confirmed"][data-revision="3"]').waitFor({ timeout: 60_000 });
  expect(await clearS()).toBe(30);
  // What is not sent is not left by a slip.
  await edit(first, 50);
  await first.locator('.nav a[href="/events"]').click();
  await first.getByRole('dialog').getByRole('button', { name: '留在此页' }).click();
  expect(await first.getByLabel('消失后恢复（秒）').inputValue()).toBe('50');
  await first.locator('.nav a[href="/events"]').click();
  await first.getByRole('dialog').getByRole('button', { name: '放弃并离开' }).click();
  await first.waitForURL('**/events');
  await Promise.all([first.close(), second.close()]);
});

test('an officer sees hash and signature checked, compares a report with the case beside it and merges it, and sees an original under a grant', async () => {
  type Cases = { items: { id: string; place: { lon: number; lat: number }; evidence: { status: string }[] }[] };
  const there = (a: Cases) => a.items[0]?.evidence.some((e) => e.status === 'stored') ?? false;
  const { items } = await city.reached<Cases>('/api/v1/cases?source=camera', there, 'the case with its picture');
  const found = items[0] as Cases['items'][number];
  const page = await city.signIn('supervision');
  await city.go(page, '/cases');
  // Somebody has reported the same stall by hand.
  const reported = (await page.evaluate(
    async (place) => {
      const { csrf } = (await (await fetch('/api/v1/session')).json()) as { csrf: string };
      const body = {
        class: { flag: 2, code: '0501' },
        severity: 'normal',
        source: 'hotline',
        place: { ...place, errorRadiusM: 5 },
      };
      const headers = { 'x-gewu-csrf': csrf, 'content-type': 'application/json' };
      return (await fetch('/api/v1/cases', { method: 'POST', headers, body: JSON.stringify(body) })).json();
    },
    { lon: found.place.lon, lat: found.place.lat + 0.0001 },
  )) as { id: string };
  await city.go(page, `/cases/${reported.id}`);
  await page.getByText('附近同类，可能重复').waitFor();
  expect(await page.locator('.beside').count()).toBe(2);
  await picture(page, 'case-duplicates');
  await page.getByRole('button', { name: '并入此案' }).click();
  expect(await page.getByRole('dialog').locator('input').first().inputValue()).toBe(found.id);
  await page.getByRole('dialog').locator('button[type="submit"]').click();
  await page.getByText('主案', { exact: true }).waitFor();

  await city.go(page, `/cases/${found.id}`);
  await page.getByText('已并入本案').waitFor();
  await page.getByText('文件校验一致').first().waitFor();
  await page.getByText('签名有效 · edge-01').first().waitFor();
  // A clip of it comes too, and begins before the picture.
  await page
    .locator('.file', { has: page.locator('.picture') })
    .getByRole('button', { name: '查看原图' })
    .first()
    .click();
  await page.getByRole('dialog').locator('textarea').fill('复核摊位占道，居民投诉');
  await page.getByRole('dialog').locator('button[type="submit"]').click();
  const original = page.locator('.originals img');
  await original.waitFor();
  await soon(() => original.evaluate((img) => (img as unknown as { naturalWidth: number }).naturalWidth)).toBe(POSE.widthPx);
  await soon(() => page.getByText('查看 0 次').count()).toBe(0);
  await picture(page, 'case-original');
  // Who may not ask sees neither the button nor the trail.
  const viewer = await city.signIn('viewer');
  await city.go(viewer, `/cases/${found.id}`);
  await viewer.getByText('文件校验一致').first().waitFor();
  expect(await viewer.getByText('原图').count()).toBe(0);
  await Promise.all([page.close(), viewer.close()]);
});

test('an ops engineer calibrates a camera: the error is seen, a wrong point is refused, the edge takes the fit, and it is true', async () => {
  const page = await city.signIn('ops');
  await city.go(page, `/cameras/${FROZEN}/calibration`);
  await soon(() => playing(page)).toBe(1);
  await page.locator('.ground-map[data-drawn="true"]').waitFor();
  const rows = page.locator('.points tbody tr');
  // The file's own points go: each is measured anew.
  for (let left = await rows.count(); left > 0; left--) await rows.first().getByRole('button').last().click();
  const shown = (await page.locator('.draw').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  for (const [i, { x, y, lon, lat }] of GROUND.entries()) {
    await page.mouse.click(shown.x + x * shown.width, shown.y + y * shown.height);
    if (i === 0) await clickMap(page, { lon, lat });
    else {
      await page.getByLabel(`经度 ${i + 1}`).fill(String(lon));
      await page.getByLabel(`纬度 ${i + 1}`).fill(String(lat));
    }
  }
  const worst = async () => Number(await page.locator('[data-worst]').getAttribute('data-worst'));
  await page.getByText('最大残差').waitFor();
  expect(await worst()).toBeLessThan(0.5);
  await picture(page, 'calibration');
  // Some ten metres off: which point it is, is said, and nothing can be sent.
  const second = page.getByLabel('经度 2');
  await second.fill(String((GROUND[1]?.lon ?? 0) + 0.0002));
  await page.getByText('第 2 点与其他点不符').waitFor();
  expect(await page.getByRole('button', { name: '下发到边缘节点' }).count()).toBe(0);
  await second.fill(String(GROUND[1]?.lon));
  await page.getByLabel('理由', { exact: true }).fill('重新测量');
  await page.getByRole('button', { name: '下发到边缘节点' }).click();
  await page.locator('.push .tag[data-status="confirmed"][data-revision="4"]').waitFor({ timeout: 60_000 });
  type Camera = { calibration: Parameters<typeof groundErrorM>[0]; set: string[] };
  const { calibration, set } = await city.installation.api.get<Camera>(`/api/v1/edges/edge-01/desired/cameras/${FROZEN}`);
  expect(set).toEqual(['calibration']);
  expect(groundErrorM(calibration)).toBeLessThan(0.5);
  await page.close();
});

looksSuite(
  () => city,
  async () => ({
    wall: '/cameras',
    camera: `/cameras/${LOOKED_AT}`,
    'camera-device': `/devices/camera/${LOOKED_AT}`,
    zones: `/cameras/${LOOKED_AT}/zones?zone=zones.0`,
    calibration: `/cameras/${LOOKED_AT}/calibration`,
    desired: '/devices/edge/edge-01/desired',
  }),
  ['摊位占道', '重新测量', '消失后 30 秒', '消失后 40 秒'],
);

test("an administrator sees what was set of an edge, by whom and why, and returns to the edge's own file", async () => {
  const page = await city.signIn('administrator');
  await city.go(page, '/devices/edge/edge-01/desired');
  await page.locator('q', { hasText: '重新测量' }).waitFor();
  await page.getByRole('button', { name: '第 1 版' }).click();
  await page.locator('.difference th[scope="row"]').first().waitFor();
  await picture(page, 'desired');
  await page.getByRole('button', { name: '恢复' }).last().click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('textarea').fill('试验结束');
  await dialog.locator('button[type="submit"]').click();
  await page.locator('.tag[data-status="confirmed"][data-revision="5"]').waitFor({ timeout: 60_000 });
  type Camera = { zones: unknown[]; set: string[] };
  const { zones, set } = await city.installation.api.get<Camera>(`/api/v1/edges/edge-01/desired/cameras/${LOOKED_AT}`);
  expect([zones, set]).toEqual([[], []]);
  await page.close();
});

test('an ops engineer sets the days of a permitted market, the edge takes them, and a window of a rule names them', async () => {
  const page = await city.signIn('ops');
  await city.go(page, '/devices/edge/edge-01/desired');
  await page.getByRole('button', { name: '添加日历' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.locator('#calendar_name').fill('market');
  await dialog.locator('#calendar_days').fill('2027-05-01..2027-05-03\n2027-02-30');
  await dialog.locator('#calendar_reason').fill('五一夜市');
  await dialog.getByText('看不懂：2027-02-30').waitFor();
  await dialog.locator('#calendar_days').fill('2027-05-01..2027-05-03');
  await dialog.locator('button[type="submit"]').click();
  await page.locator('.calendar', { hasText: 'market' }).getByText('3 天 · 最近：2027-05-01').waitFor();
  await page.locator('.tag[data-status="confirmed"][data-revision="6"]').waitFor({ timeout: 60_000 });
  await picture(page, 'calendars');
  await city.go(page, `/cameras/${LOOKED_AT}/zones`);
  await page.getByRole('button', { name: '添加区域' }).click();
  await page.getByRole('button', { name: '从矩形开始' }).click();
  const permitted = page.locator('fieldset.windows').last();
  await permitted.getByRole('button').last().click();
  await permitted.locator('.ant-select').click();
  await page.locator('.ant-select-dropdown:visible').getByText('仅限 market').click();
  await page.getByLabel('理由', { exact: true }).fill('五一夜市');
  await page.getByRole('button', { name: '下发到边缘节点' }).click();
  await page.locator('.push .tag[data-status="confirmed"][data-revision="7"]').waitFor({ timeout: 60_000 });
  // The edge has it on its disk, and in force.
  expect(await atTheEdge()).toContain('"permitted":[{"from":"08:00","to":"20:00","calendar":"market"}]');
  await page.close();
});

test('a supervision officer switches a class on that has earned it, and off again; a viewer sees it and has no button', async () => {
  const { api } = city.installation;
  type Events = { items: { record: { subject: string } }[] };
  const { items } = await api.get<Events>(`/api/v1/events?source=${LOOKED_AT}&limit=1`);
  const page = await city.signIn('supervision');
  await city.go(page, `/cameras/${LOOKED_AT}`);
  const approvals = page.locator('.panel', { hasText: '可开案的类别' });
  await approvals.getByText('此摄像机还没有判读').waitFor();
  await api.send('PUT', `/api/v1/events/${items[0]?.record.subject}/verdict`, { verdict: 'accepted' });
  await page.reload();
  await approvals.getByText('已达标，未启用').waitFor();
  await approvals.getByText('已判读 1 · 100 %').waitFor();
  const change = async (name: RegExp, reason: string) => {
    await approvals.getByRole('button', { name }).click();
    await page.getByRole('dialog').locator('textarea').fill(reason);
    await page.getByRole('dialog').locator('button[type="submit"]').click();
  };
  await change(/^启\s?用$/, '判读都对');
  await approvals.getByText('已启用（supervision）').waitFor();
  await picture(page, 'approvals');
  const viewer = await city.signIn('viewer');
  await city.go(viewer, `/cameras/${LOOKED_AT}`);
  const seen = viewer.locator('.panel', { hasText: '可开案的类别' });
  await seen.getByText('已启用（supervision）').waitFor();
  expect(await seen.getByRole('button').count()).toBe(0);
  await change(/^撤\s?回$/, '换了镜头');
  await approvals.getByText('已达标，未启用').waitFor();
  const trail = await api.get<{ items: { actor: string; purpose: string | null }[] }>('/api/v1/audit?actor=supervision');
  expect(trail.items.map((e) => e.purpose)).toEqual(expect.arrayContaining(['判读都对', '换了镜头']));
  await Promise.all([page.close(), viewer.close()]);
});

test('an ops engineer finds the frozen camera, sees since when, puts it into maintenance, and sees it come back', async () => {
  const before = Date.now();
  street.cameras.get(FROZEN)?.setFault({ kind: 'freeze' });
  const page = await city.signIn('ops');
  await city.go(page, '/cameras');
  await soon(() => page.locator('.camera').first().locator('b').textContent()).toBe(FROZEN);
  expect((await page.locator('.camera').first().textContent()) ?? '').toContain('画面中断');
  await page.locator('.camera-foot').first().focus();
  await page.keyboard.press('Enter');
  await settled(page);
  await soon(() => page.locator('h1').textContent()).toBe(FROZEN);
  const since = Date.parse((await page.locator('.facts time').first().getAttribute('datetime')) ?? '');
  expect(since).toBeGreaterThan(before);
  await soon(() => page.locator('.lines .tag.offline').count()).toBeGreaterThan(0);
  await picture(page, 'camera-frozen');
  // Its zones can be drawn all the same, on the last picture that the centre has.
  const colleague = await city.signIn('ops');
  await city.go(colleague, `/cameras/${FROZEN}/zones`);
  const last = colleague.locator('img.last-picture');
  await soon(() => last.evaluate((img) => (img as unknown as { naturalWidth: number }).naturalWidth)).toBeGreaterThan(300);
  await colleague.locator('.camera-age').getByText('最近画面').waitFor();
  await picture(colleague, 'zones-last-picture');
  await colleague.close();
  await page.getByRole('link', { name: /›$/ }).last().click();
  await settled(page);
  await page.getByRole('button', { name: '进入维护' }).click();
  await page.locator('#maintenance_reason').fill('擦镜头');
  await page.getByRole('dialog').locator('button[type="submit"]').click();
  await page.locator('.panel .tag.maintenance').waitFor();
  street.cameras.get(FROZEN)?.setFault(null);
  await soon(() => page.locator('.panel-head .tag.health').first().textContent()).toContain('在线');
  await page.getByRole('button', { name: '结束维护' }).click();
  await soon(() => page.locator('.tag.maintenance').count()).toBe(0);
  await page.close();
});

test('no page complained: no error, no breach of the policy, no missing text', () => {
  expect(city.complaints).toEqual([]);
});
