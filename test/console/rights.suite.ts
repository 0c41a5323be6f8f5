import { beforeAll, expect, test } from 'vitest';
import { type City, coverId, enter, MINUTE, PASSWORD, soon } from './fixture.ts';
import { HOSTILE } from './troubled.ts';

/** Who comes in, what he may, and what a hostile device cannot. */
export function rightsSuite(cityOf: () => City): void {
  let city: City;
  beforeAll(() => {
    city = cityOf();
  });

  test('a viewer can change nothing: not by the console, nor by its session', { timeout: MINUTE }, async () => {
    const page = await city.signIn('viewer');
    await city.go(page, '/events?view=all');
    await page.locator('.triage-view h2').waitFor();
    expect(await page.locator('.verdict-bar .ant-btn').count()).toBe(0);
    await page.keyboard.press('a');
    const { items } = await city.installation.api.get<{ items: { id: string }[] }>('/api/v1/cases');
    await city.go(page, `/cases/${items[0]?.id}`);
    await page.getByText('您的账户此刻不能办理此案件').waitFor();
    await city.go(page, '/users');
    await page.getByText('您的账户无权查看此页').waitFor();
    const refused = (await page.evaluate(`(async () => {
      const { csrf } = await (await fetch('/api/v1/session')).json();
      const { paths } = await (await fetch('/docs/json')).json();
      const answers = [];
      for (const [template, operations] of Object.entries(paths))
        for (const method of Object.keys(operations)) {
          if (method === 'get' || template.startsWith('/api/v1/session')) continue;
          // Who holds the code of a message may acknowledge it, whoever he is: without one there is nothing to it.
          if (template === '/api/v1/notify/acknowledge') continue;
          const path = template.replace('{sha256}', '0'.repeat(64)).replaceAll(/\\{[^}]+\\}/g, 'x');
          const headers = { 'x-gewu-csrf': csrf, 'content-type': 'application/json' };
          const { status } = await fetch(path, { method: method.toUpperCase(), headers, body: '{}' });
          answers.push(method + ' ' + template + ' ' + status);
        }
      return answers;
    })()`)) as string[];
    expect(refused.length).toBeGreaterThan(20);
    expect(refused.filter((answer) => !answer.endsWith(' 403'))).toEqual([]);
    await page.close();
  });

  test('hostile strings are text wherever they are shown', { timeout: MINUTE }, async () => {
    const page = await city.signIn('administrator');
    // A cover of this test's own: its event is the newest, and nobody has judged it yet.
    await city.publish(coverId(13), { tilt_deg: 125 });
    const path = `/api/v1/events?source=${coverId(13)}`;
    await city.reached<{ items: unknown[] }>(path, (a) => a.items.length === 1, 'the newest event');
    await city.go(page, '/events');
    await page.locator('.verdict-bar .ant-btn-dangerous').click();
    const dialog = page.getByRole('dialog');
    await dialog.locator('textarea').fill(HOSTILE);
    await dialog.locator('.reasons .ant-btn').first().click();
    await dialog.waitFor({ state: 'hidden' });
    await city.go(page, '/events?view=all');
    await page.locator('.verdict-bar q').getByText('window.hurt').waitFor();
    await city.go(page, '/pipeline');
    await page.locator('.lines .plain-button').first().click();
    await soon(() => page.getByRole('dialog').locator('textarea.payload').inputValue()).toContain('window.hurt');
    await city.go(page, `/devices?q=${encodeURIComponent(HOSTILE.slice(0, 60))}`);
    await city.go(page, `/cases/${encodeURIComponent(HOSTILE.slice(0, 40))}`);
    expect(await page.evaluate('window.hurt')).toBeUndefined();
    await page.close();
  });

  test('templates, right-to-left overrides and endless words are text too, and break no page', {
    timeout: 3 * MINUTE,
  }, async () => {
    const { api } = city.installation;
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is to stay one
    const name = '<b onclick=hurt=1>{{n}}$t(nav.users)${7*7}\u202egpj.exe';
    const reason = `${HOSTILE} {{constructor}} ${'W'.repeat(300)}`;
    await api.send('PUT', '/api/v1/upkeep/groups/odd', { name });
    await api.post('/api/v1/upkeep/maintenance', { subjects: [{ of: 'device', id: coverId(12) }], minutes: 30, reason });
    const page = await city.signIn('administrator', { locale: 'en', viewport: { width: 390, height: 844 } });
    for (const [path, written] of [
      ['/devices?of=upkeep', name],
      ['/devices?of=upkeep', reason],
      [`/devices/sensor/${coverId(12)}`, reason],
    ] as const) {
      await city.go(page, path);
      await soon(async () => (await page.locator('main').textContent())?.includes(written)).toBe(true);
      expect([path, await page.evaluate('document.documentElement.scrollWidth <= innerWidth')]).toEqual([path, true]);
    }
    await api.post('/api/v1/upkeep/maintenance/end', { subjects: [{ of: 'device', id: coverId(12) }] });
    expect(await page.evaluate('window.hurt')).toBeUndefined();
    await page.close();
  });

  test('a one-time link signs its reader in, once', { timeout: MINUTE }, async () => {
    const { code } = await city.installation.api.post<{ code: string }>('/api/v1/users/ops/sign-in-link');
    const link = `${city.url}/sign-in#once=${code}`;
    const page = await city.open();
    await page.goto(link);
    await page.locator('.once .ant-btn').click();
    await page.locator('.nav .me').waitFor();
    expect(page.url()).not.toContain(code);
    const again = await city.open();
    await again.goto(link);
    await again.locator('.once .ant-btn').click();
    await again.locator('.ant-alert').waitFor();
    await Promise.all([page.context().close(), again.context().close()]);
  });

  test('a session that is ended elsewhere asks to sign in, and a wrong password says so', { timeout: MINUTE }, async () => {
    const page = await city.signIn('command');
    await city.go(page, '/account');
    await city.installation.api.fetch('/api/v1/users/command/sessions', { method: 'DELETE' });
    await page.reload();
    await enter(page, 'command', 'not-the-password');
    await page.getByText('账户名或密码不正确').waitFor();
    await enter(page, 'command', PASSWORD);
    await page.locator('.nav .me').waitFor();
    await page.close();
  });
}
