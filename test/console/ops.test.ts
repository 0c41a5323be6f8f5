import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FaultProxy } from '#simulators/faults/mod.ts';
import { type MailReceiver, startMailReceiver, startWebReceiver, textOfMail, type WebReceiver } from '../support/receivers.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';
import { City, coverId, MINUTE, type Page, picture, seriousIn, settled, soon } from './fixture.ts';

/** An ops engineer's day: an edge cut off, a battery that dies, a sick device, a payload that could not be used, and who is told of it. */

const [SICK, DYING, BROKEN, WELL] = [coverId(0), coverId(1), coverId(2), coverId(3)] as const;
const MAIL = { username: 'gewu', password: 'mail-password' };
const EDGE = 'edge-01';

let dir: string;
let city: City;
let web: WebReceiver;
let mail: MailReceiver;
let link: FaultProxy;
beforeAll(async () => {
  dir = await tempDir({ keep: true });
  [web, mail] = await Promise.all([startWebReceiver(), startMailReceiver(MAIL)]);
  const here = { allowLocalAddress: true };
  const channels = [
    { id: 'hook', kind: 'webhook', url: `${web.url}/hook`, secret: 'a-secret-of-sixteen', ...here },
    {
      id: 'mail',
      kind: 'smtp',
      host: '127.0.0.1',
      port: mail.port,
      security: 'none',
      from: 'gewu@city.example',
      ...MAIL,
      ...here,
    },
  ];
  city = await City.start(dir, {
    centre: {
      notify: { channels, publicUrl: 'http://console.example', gatherS: 0.5 },
      health: { edgeSilentS: 12 },
      upkeep: { graceDeviceS: 0 },
    },
    through: async (targetPort) => {
      link = new FaultProxy({ targetPort });
      await link.start();
      return link.port;
    },
  });
  await city.publish(WELL, { tilt_deg: 1, battery_v: 3.6 });
  await city.publish(SICK, { tilt_deg: 1, battery_v: 3.6 });
  for (let i = 0; i < 3; i++) await city.publish(DYING, { tilt_deg: 1, battery_v: 3.02 - i / 100 });
  await city.publish(BROKEN, { tilt_deg: 'upright', battery_v: 3.5 });
  await city.reached<{ items: unknown[] }>(`/api/v1/events?source=${DYING}`, (a) => a.items.length === 1, 'the low battery');
  await city.reached<{ items: unknown[] }>('/api/v1/dead-letters', (a) => a.items.length === 1, 'the dead letter');
  // From now on the edge is alone; meanwhile somebody sets up who is told.
  link.set({ kind: 'cut' });
}, 120_000);
afterAll(async () => {
  await city?.stop();
  await Promise.all([web?.stop(), mail?.stop(), link?.stop()]);
  await rm(dir, { recursive: true, force: true });
});

/** Chooses in one of Ant Design's lists by what it says. */
async function choose(page: Page, field: string, ...texts: string[]): Promise<void> {
  await page.locator(`#${field}`).click();
  for (const text of texts)
    await page.locator('.ant-select-dropdown:visible .ant-select-item', { hasText: text }).first().click();
  await page.locator('.ant-modal-title:visible').click();
}

test('who is told, and when, is set up and tried', { timeout: 3 * MINUTE }, async () => {
  const page = await city.signIn('ops');
  await city.go(page, '/notify?view=settings');
  await page.getByText('当前无人值班').waitFor();
  await page.getByRole('button', { name: '添加人员' }).click();
  await page.locator('#person_id').fill('olga');
  await page.locator('#person_name').fill('Olga');
  await choose(page, 'person_channels', 'hook', 'mail');
  await page.locator('#person_addresses_mail').fill('olga@city.example');
  await page.getByRole('dialog').locator('button[type="submit"]').click();
  await page.getByRole('button', { name: '添加班次' }).click();
  await page.locator('#shift_id').fill('always');
  await choose(page, 'shift_people', 'Olga');
  await page.getByRole('dialog').locator('button[type="submit"]').click();
  await page.getByText('当前值班：olga').waitFor();
  // Changed where it stands: the night of weekdays first, then the whole day of weekends.
  const shift = page.locator('.lines li', { hasText: 'always' });
  await shift.getByRole('button', { name: /^修\s?改$/ }).click();
  await page.locator('#shift_when_0_hours').fill('20:00-08:00');
  await page.getByRole('dialog').getByRole('button', { name: '添加时段' }).click();
  await page.locator('#shift_when_1_hours').fill('00:00-24:00');
  await page.getByRole('dialog').locator('button[type="submit"]').click();
  await shift.getByText('每天 20:00-08:00').waitFor();
  const person = page.locator('.lines li', { hasText: 'olga@city.example' });
  await person.getByRole('button', { name: /^修\s?改$/ }).click();
  await page.locator('#person_name').fill('Olga L.');
  await page.getByRole('dialog').locator('button[type="submit"]').click();
  await person.getByText('Olga L.').waitFor();
  type Settings = { settings: { people: { id: string; to: object[] }[]; shifts: { when: object[] }[] } };
  const { settings } = await city.installation.api.get<Settings>('/api/v1/notify/settings');
  expect([settings.people.map((p) => [p.id, p.to.length]), settings.shifts.map((s) => s.when)]).toEqual([
    [['olga', 2]],
    [
      [
        { from: '20:00', to: '08:00' },
        { from: '00:00', to: '24:00' },
      ],
    ],
  ]);
  await picture(page, 'notify-settings');
  for (const i of [0, 1])
    await page
      .getByRole('button', { name: /^测\s?试$/ })
      .nth(i)
      .click();
  const isTest = (text: string) => text.includes('测试消息');
  await soon(() => web.received.some((r) => isTest(r.body.title))).toBe(true);
  await soon(() => mail.mails.some((m) => isTest(textOfMail(m)))).toBe(true);
  await page.close();
});

test('an edge that is cut off: people are told by webhook and mail, acknowledge by the link, and see its backlog drain', {
  timeout: 2 * MINUTE,
}, async () => {
  const page = await city.signIn('ops');
  await city.go(page, '/pipeline');
  const row = page.locator('tr', { hasText: EDGE });
  await row.locator('.tag.offline').waitFor({ timeout: 30_000 });
  for (let i = 0; i < 20; i++) await city.publish(WELL, { tilt_deg: 1 + i / 10, battery_v: 3.6 });
  const told = await until(() => web.received.find((r) => r.body.topic === 'edge-silent'), {
    timeoutMs: 30_000,
    what: 'the alert',
  });
  expect(told.body.title).toBe('[格物] 紧急：边缘节点失联 1 项');
  const silent = await until(() => mail.mails.find((m) => textOfMail(m).includes('边缘节点失联')), { what: 'the mail' });
  expect(silent.to).toEqual(['olga@city.example']);
  expect(textOfMail(silent)).toContain(EDGE);
  // By the link of the mail, on a telephone that nobody has signed in on.
  const { pathname, hash } = new URL(/http:\/\/console\.example\S+/.exec(textOfMail(silent))?.[0] ?? '');
  const phone = await city.open({ viewport: { width: 390, height: 844 } });
  await phone.goto(city.url + pathname + hash);
  await phone.getByRole('button', { name: '我来处理' }).click();
  await phone.getByText('已确认：边缘节点失联，1 项').waitFor();
  await phone.context().close();
  await city.go(page, '/notify');
  await page.locator('.incident', { hasText: '边缘节点失联' }).getByText('olga 已确认').waitFor();
  await picture(page, 'notify-incidents');
  // It comes back: what waited there comes in, and its silence stays on record.
  link.set(null);
  await city.go(page, '/pipeline');
  await row.locator('.tag.online').waitFor({ timeout: 30_000 });
  await city.reached<{ values: Record<string, number> }>(
    `/api/v1/edges/${EDGE}`,
    (e) => e.values['outbox.readings.records'] === 0,
    'an empty outbox',
  );
  await city.go(page, `/devices/edge/${EDGE}`);
  await soon(async () => (await page.locator('.lines li').allInnerTexts()).join('\n')).toMatch(
    /恢复通信[\s\S]*长时间无消息|恢复通信[\s\S]*离线/,
  );
  await soon(() => web.received.some((r) => r.body.title.includes('边缘节点失联 1 项，已解除'))).toBe(true);
  await page.close();
});

test('the sensor whose battery dies is found from its alert', { timeout: 3 * MINUTE }, async () => {
  const page = await city.signIn('ops');
  await city.go(page, '/notify');
  await page.locator('.incident', { hasText: '电池电量低' }).getByRole('link', { name: DYING }).click();
  await settled(page);
  await soon(() => page.locator('h1').textContent()).toBe(DYING);
  await soon(() => page.locator('.facts').first().textContent()).toContain('3.00 V');
  // Nearer, by buttons and by keys: where one looks stands in the URL, and stays.
  const minutes = () => {
    const [from = 0, to = 0] = (new URL(page.url()).searchParams.get('range') ?? '').split('-').map(Number);
    return Math.round((to - from) / MINUTE);
  };
  await page.getByRole('button', { name: '放大' }).click();
  await soon(minutes).toBe(30);
  await page.getByRole('button', { name: '更晚' }).click();
  await page.locator('.chart canvas').waitFor();
  await page.getByRole('button', { name: '更晚' }).press('-');
  await soon(minutes).toBe(60);
  await picture(page, 'device-zoomed');
  await page.close();
});

test('a sick device is found, put into maintenance, and seen to come back', { timeout: 3 * MINUTE }, async () => {
  await city.publish(SICK, { state: 'offline' }, 'status');
  await city.reached<{ state: string }>(`/api/v1/devices/${SICK}`, (d) => d.state === 'offline', 'the sick device');
  const page = await city.signIn('ops');
  await city.go(page, '/devices?of=upkeep');
  const upkeepCase = page.locator('.upkeep-case', { hasText: SICK });
  await upkeepCase.getByText('待处理').waitFor({ timeout: 20_000 });
  // What it is about, and how that is.
  await upkeepCase.getByRole('button', { name: '传感器故障' }).click();
  const things = page.getByRole('dialog');
  await things.locator('li', { hasText: SICK }).locator('.tag.offline').waitFor();
  expect(await seriousIn(page)).toEqual([]);
  await picture(page, 'upkeep-case');
  await page.keyboard.press('Escape');
  await things.waitFor({ state: 'hidden' });
  await city.go(page, '/devices?state=offline');
  const row = page.locator('.row', { hasText: SICK });
  await row.locator('input[type="checkbox"]').check();
  await page.getByRole('toolbar').getByRole('button', { name: '进入维护' }).click();
  await page.locator('#maintenance_reason').fill('新井盖');
  await page.getByRole('dialog').locator('button[type="submit"]').click();
  await row.locator('.tag.maintenance').waitFor();
  await row.locator('b').click();
  await settled(page);
  await page.locator('.panel .tag.maintenance').waitFor();
  await picture(page, 'device-maintenance');
  // Its alarms are recorded at the edge from now on: the edge has the window.
  const desired = await city.installation.api.get<{ state: { maintenance: object[] } }>(`/api/v1/edges/${EDGE}/desired`);
  expect(desired.state.maintenance).toMatchObject([{ devices: [SICK], reason: '新井盖' }]);
  await city.publish(SICK, { tilt_deg: 1, battery_v: 3.6 });
  await page.locator('.panel .tag.online').first().waitFor({ timeout: 20_000 });
  await page.getByRole('button', { name: '结束维护' }).click();
  await soon(() => page.locator('.tag.maintenance').count()).toBe(0);
  await city.go(page, '/devices?of=upkeep');
  await upkeepCase.getByText('健康恢复，自动关闭').waitFor({ timeout: 20_000 });
  await picture(page, 'upkeep');
  await page.close();
});

test('on a telephone: a device is chosen, its maintenance is planned for tomorrow and called off; a group is put under maintenance', {
  timeout: 2 * MINUTE,
}, async () => {
  const { api } = city.installation;
  await api.send('PUT', '/api/v1/upkeep/groups/north', { name: '北门' });
  await api.post('/api/v1/upkeep/groups/north/members', { add: [{ of: 'device', id: WELL }] });
  const page = await city.signIn('ops', { viewport: { width: 390, height: 844 } });
  await city.go(page, `/devices?q=${WELL}`);
  await page.locator('.row', { hasText: WELL }).locator('input[type="checkbox"]').check();
  await picture(page, 'bulk-narrow');
  await page.getByRole('toolbar').getByRole('button', { name: '进入维护' }).click();
  const from = page.locator('#maintenance_from');
  await page.locator('#maintenance_reason').fill('换电池');
  await from.fill('2026-01-01T08:00');
  await page.getByRole('dialog').locator('button[type="submit"]').click();
  await page.getByText('须晚于现在').waitFor();
  const day = await page.evaluate('new Date(Date.now() + 86_400_000).toLocaleDateString("sv")');
  await from.fill(`${day}T08:00`);
  await picture(page, 'maintenance-planned-narrow');
  await page.getByRole('dialog').locator('button[type="submit"]').click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await city.go(page, '/devices?of=upkeep');
  const window = (subject: string) => page.locator('.maintenance-window', { hasText: subject });
  await window(WELL).getByText('已安排').waitFor();
  await page.locator('li', { hasText: '北门' }).getByRole('button', { name: '进入维护' }).click();
  await page.locator('#maintenance_reason').fill('停水检修');
  await page.getByRole('dialog').locator('button[type="submit"]').click();
  await window('north').getByText('维护中').waitFor();
  await picture(page, 'upkeep-windows-narrow');
  const device = await api.get<{ maintenance: { reason: string } }>(`/api/v1/devices/${WELL}`);
  expect(device.maintenance.reason).toBe('停水检修');
  await window(WELL)
    .getByRole('button', { name: /^取\s?消$/ })
    .click();
  await soon(() => window(WELL).count()).toBe(0);
  await window('north').getByRole('button', { name: '结束维护' }).click();
  await soon(() => window('north').count()).toBe(0);
  await page.close();
});

test('a payload that could not be used is mended, goes through the door of its device, and is a reading', {
  timeout: MINUTE,
}, async () => {
  const page = await city.signIn('ops');
  await city.go(page, '/pipeline?hop=device');
  const letters = page.locator('.lines .plain-button');
  await letters.first().click();
  const dialog = page.getByRole('dialog');
  const payload = dialog.locator('textarea.payload');
  // Mended wrongly first: it comes back with its new reason.
  await payload.fill('{"tilt_deg":1,"batery_v":3.5}');
  await dialog.locator('#letter_reason').fill('a word for a number');
  await dialog.locator('button[type="submit"]').click();
  await page.locator('.lines li', { hasText: 'batery_v' }).locator('.plain-button').click({ timeout: 20_000 });
  await payload.fill('{"tilt_deg":1.5,"battery_v":3.5}');
  await dialog.locator('#letter_reason').fill('a slip');
  await picture(page, 'dead-letter');
  await dialog.locator('button[type="submit"]').click();
  await soon(() => letters.count()).toBe(0);
  const path = `/api/v1/readings/latest?devices=${BROKEN}`;
  const { items } = await city.reached<{ items: { fields: object }[] }>(path, (a) => a.items.length === 1, 'the reading');
  expect(items[0]?.fields).toMatchObject({ tilt_deg: 1.5, battery_v: 3.5 });
  const trail = await city.installation.api.get<{ items: { action: string }[] }>('/api/v1/audit');
  const actions = trail.items.map((e) => e.action);
  for (const action of [
    'dead-letter-replayed',
    'edge-payload-replayed',
    'maintenance-begun',
    'incident-acknowledged',
    'notify-tested',
  ])
    expect(actions).toContain(action);
  await page.close();
});

test('a viewer sees all of it and can change nothing', { timeout: 3 * MINUTE }, async () => {
  const page = await city.signIn('viewer');
  for (const path of ['/notify', '/devices', '/devices?of=upkeep', `/devices/sensor/${SICK}`]) {
    await city.go(page, path);
    const buttons = await page.locator('main button:not(.ant-segmented button)').allInnerTexts();
    expect([path, buttons.filter((b) => /维护|处理|指\s?派|修复|分组|删\s?除/.test(b))]).toEqual([path, []]);
    expect([path, await page.locator('main input[type="checkbox"]').count()]).toEqual([path, 0]);
  }
  await city.go(page, '/notify?view=settings');
  await page.getByText('仅供运维人员查看').waitFor();
  await page.close();
});

test('a centre that is away, refuses and comes back: pages say how old they are, one whose code is missing says so, and all go on by themselves', {
  timeout: 2 * MINUTE,
}, async () => {
  const { centre, api } = city.installation;
  const [stays, goes] = [await city.signIn('ops'), await city.signIn('ops')];
  await Promise.all([city.go(stays, `/devices?q=${WELL}`), city.go(goes, '/pipeline')]);
  await centre.stop();
  for (const page of [stays, goes])
    await page
      .locator('.away')
      .getByText(/所示为 \d+ 秒前的数据/)
      .waitFor();
  await goes.locator('.nav a[href="/cases"]').click();
  await goes.getByText('此页面的程序未能加载').waitFor();
  await picture(goes, 'away');
  // A proxy in front of it answers before it does.
  const proxy = await refusing(Number(new URL(city.url).port));
  await soon(() => proxy.asked('/api/v1/stream')).toBeGreaterThan(1);
  await goes.getByText('此页面的程序未能加载').waitFor();
  await stays.locator('.row', { hasText: WELL }).waitFor();
  await proxy.stop();
  await centre.start();
  await until(() => api.ready(), { timeoutMs: 30_000, what: 'the centre' });
  await goes.locator('h1', { hasText: '案件' }).waitFor();
  for (const page of [stays, goes]) await page.locator('.away').waitFor({ state: 'hidden' });
  await city.publish(WELL, { state: 'offline' }, 'status');
  await stays.locator('.row .tag.offline').waitFor({ timeout: 30_000 });
  await Promise.all([stays.close(), goes.close()]);
  const expected = /the code of this page did not come|EventSource/;
  city.complaints.splice(0, city.complaints.length, ...city.complaints.filter((text) => !expected.test(text)));
});

/** Answers everything by 503. */
async function refusing(port: number): Promise<{ asked(path: string): number; stop(): Promise<void> }> {
  const asked: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    asked.push(url);
    response.writeHead(503, { 'content-type': 'text/html', connection: 'close' }).end('<h1>503</h1>');
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    asked: (path) => asked.filter((url) => url === path).length,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

test('no page complained', () => {
  expect(city.complaints).toEqual([]);
});
