import { beforeAll, expect, test } from 'vitest';
import { en } from '../../console/i18n/en.ts';
import { type City, coverId, MINUTE, type Page, picture, settled, soon } from './fixture.ts';
import { pixelsOf, reachOf } from './pixels.ts';
import { GONE, OPEN } from './troubled.ts';

/** Of a grid in which something is urgent, and whatever its ground adds. */
const URGENT = [220, 74, 63] as const;
const URGENT_LEVELS = 16;
/** Of a drag, each of a few pixels. */
const STEPS = 25;

/** What officers and ops engineers do all day. */
export function workSuite(cityOf: () => City): void {
  let city: City;
  beforeAll(() => {
    city = cityOf();
  });

  test('an officer triages ten events by keyboard and follows one to its case', { timeout: MINUTE }, async () => {
    const page = await city.signIn('supervision');
    await city.go(page, '/events');
    const queue = page.locator('.triage-list .triage-item');
    await soon(() => queue.count()).toBe(OPEN);
    await picture(page, 'triage');
    // Down one and up again: the same event is shown.
    const shown = () => page.locator('.triage-item[aria-current="true"]').getAttribute('href');
    const first = await shown();
    await page.keyboard.press('j');
    await soon(shown).not.toBe(first);
    await page.keyboard.press('k');
    await soon(shown).toBe(first);
    // An answer that comes late does not carry him back.
    const late = Promise.withResolvers<void>();
    await page.route('**/verdict', async (route) => {
      await late.promise;
      await route.continue();
    });
    const answered = page.waitForResponse('**/verdict');
    await page.keyboard.press('a');
    await page.getByText('全部', { exact: true }).click();
    await soon(() => page.url()).toContain('view=all');
    late.resolve();
    await answered;
    await page.unroute('**/verdict');
    await soon(() => page.locator('.triage-item', { hasText: '✓' }).count()).toBe(1);
    expect(page.url()).toContain('view=all');
    await city.go(page, '/events');
    for (let left = OPEN - 1; left > 0; left--) {
      await soon(() => queue.count()).toBe(left);
      if (left % 3 === 0) {
        await page.keyboard.press('r');
        await page.getByRole('dialog').waitFor();
        await page.keyboard.press('2');
      } else await page.keyboard.press('a');
    }
    await soon(() => queue.count()).toBe(0);
    const { items } = await city.installation.api.get<{ items: { verdict: string; reason: string | null; by: string }[] }>(
      '/api/v1/verdicts',
    );
    expect(items).toHaveLength(OPEN);
    expect(items.filter((v) => v.verdict === 'rejected').map((v) => [v.reason, v.by])).toEqual(
      Array.from({ length: 3 }, () => ['wrong-class', 'supervision']),
    );
    // When it happens, by colour and as a table.
    await city.go(page, '/events?view=hours&class=1:0102');
    await page.locator('[role="img"] canvas').first().waitFor();
    await page.getByText(`最近 28 天 ${OPEN} 个事件`).first().waitFor();
    await page.locator('summary').click();
    const counts = await page.locator('details td').allInnerTexts();
    expect(counts.map(Number).reduce((a, b) => a + b)).toBe(OPEN);
    await city.go(page, '/events?view=judged');
    await page.locator('.triage-view .facts a[href^="/cases/"]').click();
    await settled(page);
    await page.locator('.timeline li').first().waitFor();
    await soon(() => page.locator('h1').textContent()).toBe('井盖缺失/移位');
    await picture(page, 'case');
    await page.close();
  });

  test('each officer is offered the steps that are his, and takes them', { timeout: MINUTE }, async () => {
    const { items } = await city.installation.api.get<{ items: { id: string; state: string }[] }>('/api/v1/cases');
    const filed = items.find((c) => c.state === 'FILED' || c.state === 'REPORTED');
    const steps = async (page: Page) => {
      await city.go(page, `/cases/${filed?.id}`);
      return page.locator('.panel .bar .ant-btn').allInnerTexts();
    };
    const command = await city.signIn('command');
    expect((await steps(command)).join()).not.toContain('立案');
    const supervision = await city.signIn('supervision');
    const before = (await city.installation.api.get<{ state: string }>(`/api/v1/cases/${filed?.id}`)).state;
    const name = before === 'FILED' ? '批转' : '立案';
    await soon(() => steps(supervision).then((s) => s.join().replaceAll(' ', ''))).toContain(name);
    await supervision.locator('.panel .bar .ant-btn', { hasText: new RegExp(name.split('').join('\\s?')) }).click();
    await supervision.getByRole('dialog').locator('button[type="submit"]').click();
    await city.reached<{ state: string }>(`/api/v1/cases/${filed?.id}`, (c) => c.state !== before, 'the step');
    await Promise.all([command.close(), supervision.close()]);
  });

  test('an ops engineer finds the sensor that is gone, and sees since when', { timeout: MINUTE }, async () => {
    const page = await city.signIn('ops');
    await city.go(page, '/');
    await page.locator('.tile', { hasText: '传感器离线' }).click();
    await soon(() => page.url()).toContain('state=offline');
    const rows = page.locator('.row');
    await soon(() => rows.count()).toBe(1);
    await rows.first().focus();
    await page.keyboard.press('Enter');
    await settled(page);
    await soon(() => page.locator('h1').textContent()).toBe(GONE);
    await page.locator('.lines .tag.offline').first().waitFor();
    await page.locator('.chart canvas').waitFor();
    expect((await page.locator('.facts').textContent()) ?? '').toContain('3.05 V');
    await picture(page, 'device');
    // What is looked for stands in the URL: a colleague sees the same.
    const colleague = await city.signIn('viewer');
    await city.go(colleague, `/devices?q=${GONE}`);
    await soon(() => colleague.locator('.row').count()).toBe(1);
    await colleague.close();
    await page.close();
  });

  test('each reason stands whole in the list at 1,280 px', { timeout: MINUTE }, async () => {
    const { api } = city.installation;
    const subjects = [{ of: 'device', id: GONE }];
    await api.post('/api/v1/upkeep/maintenance', { subjects, minutes: 30, reason: 'a new battery' });
    const page = await city.signIn('ops', { locale: 'en', viewport: { width: 1280, height: 800 } });
    await city.go(page, `/devices?q=${GONE}`);
    await page.locator('.row .tag.maintenance').waitFor();
    await picture(page, 'devices-1280');
    const cut = await page.evaluate(`(() => {
      const row = document.querySelector('.row');
      const cell = row.querySelector('.wraps');
      return ${JSON.stringify(Object.values(en.reason))}.filter((reason) => {
        cell.lastElementChild.textContent = reason;
        const [outside, inside] = [row.getBoundingClientRect(), cell.getBoundingClientRect()];
        const isWide = cell.scrollWidth > cell.clientWidth || row.scrollWidth > row.clientWidth;
        return isWide || inside.top < outside.top || inside.bottom > outside.bottom;
      });
    })()`);
    expect(cut).toEqual([]);
    await api.post('/api/v1/upkeep/maintenance/end', { subjects });
    await page.close();
  });

  test('no cases is not read as order: the map says which unit grids were watched, hour by hour', {
    timeout: MINUTE,
  }, async () => {
    const page = await city.signIn('ops');
    await city.go(page, '/?by=coverage');
    const shares = page.locator('.legend li');
    await soon(() => shares.count()).toBe(4);
    // The edge has run for minutes: a part of the last day, and of the last hour.
    await soon(() => page.locator('.legend').textContent()).toMatch(/无人看守 [1-9]/);
    await picture(page, 'watched');
    const hours = page.getByRole('slider');
    await hours.focus();
    await page.keyboard.press('ArrowLeft');
    await soon(() => page.url()).toContain('hour=23');
    expect(await hours.getAttribute('aria-valuetext')).toMatch(/^\d\d:\d\d – \d\d:\d\d$/);
    await page.close();
  });

  test('news is on the screen without a reload', { timeout: MINUTE }, async () => {
    const page = await city.signIn('ops');
    await city.go(page, '/');
    const open = page.locator('.tile', { hasText: '未结案件' }).locator('.tile-value');
    const before = Number.parseInt((await open.textContent()) ?? '', 10);
    await city.publish(coverId(10), { tilt_deg: 130 });
    await soon(async () => Number.parseInt((await open.textContent()) ?? '', 10)).toBe(before + 1);

    // The map goes where the pointer goes. Drawn by the processor, it is coarse for as long.
    const map = page.locator('.city-map canvas');
    const ratio = () =>
      page.evaluate("(({ width, clientWidth }) => width / clientWidth)(document.querySelector('.city-map canvas'))");
    const box = await map.boundingBox();
    if (box === null) throw new Error('there is no map');
    /** Of the grid in which all cases are. */
    const sides = async () => reachOf((await pixelsOf(map)).points(URGENT, URGENT_LEVELS));
    const from = await sides();
    const reach = (step: number) => page.mouse.move(box.x + 600 - 8 * step, box.y + 500 - 4 * step);
    await reach(0);
    await page.mouse.down();
    await reach(1);
    await soon(ratio).toBeLessThan(0.6);
    const ratios: number[] = [];
    for (let step = 2; step <= STEPS; step++) {
      await reach(step);
      ratios.push(Number(await ratio()));
    }
    expect(Math.max(...ratios)).toBeLessThan(0.6);
    await soon(async () => {
      const { right, bottom } = await sides();
      return Math.hypot(right - from.right + 8 * STEPS, bottom - from.bottom + 4 * STEPS);
    }).toBeLessThan(4);
    expect(await ratio()).toBeLessThan(0.6);
    await page.mouse.up();
    await soon(ratio).toBe(1);
    await page.close();
  });
}
