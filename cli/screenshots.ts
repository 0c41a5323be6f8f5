import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from './browser.ts';
import { type Command, madeDir, parseDurationS, parseFlags, say } from './command.ts';
import { CityLife } from './demo/life.ts';
import { DemoCity } from './demo/run.ts';
import { ensurePrograms } from './programs.ts';

/** What a newcomer is shown: a name, where it is, and what has to be there before the picture is taken. */
const PICTURES = [
  { name: 'situation', path: '/', ready: '.city-map[data-drawn="true"]' },
  { name: 'coverage', path: '/?by=coverage&hour=23', ready: '.city-map[data-drawn="true"]' },
  { name: 'events', path: '/events?by=camera', ready: '.triage-view img' },
  { name: 'hours', path: '/events?view=hours', ready: '[role="img"] canvas' },
  { name: 'case', path: '/cases?source=camera', ready: '.rows .row', open: '.rows .row' },
  { name: 'devices', path: '/devices', ready: '.rows .row' },
  { name: 'cameras', path: '/cameras', ready: 'main h1' },
  { name: 'camera', path: '/cameras/cam-01', ready: '.lines' },
  { name: 'zones', path: '/cameras/cam-01/zones?zone=zones.0', ready: 'fieldset' },
  { name: 'calibration', path: '/cameras/cam-01/calibration', ready: 'table' },
  { name: 'desired', path: '/devices/edge/edge-01/desired', ready: 'main h2' },
  { name: 'upkeep', path: '/devices?of=upkeep', ready: 'main table' },
  { name: 'notify', path: '/notify', ready: 'main h2' },
  { name: 'duty', path: '/notify?view=settings', ready: 'main h2' },
  { name: 'pipeline', path: '/pipeline', ready: 'main h1' },
] as const;
const LANGUAGES = { zh: 'zh-CN', en: 'en' } as const;
const WINDOW = { width: 1280, height: 800 };
const QUALITY = 82;
/** Pictures and charts come after the page. */
const SETTLE_MS = 4_000;
const PAGE_MS_MAX = 180_000;
const SEED = 7;

/** Pictures of the console on a demo city that has run for a while. */
export const screenshots: Command = {
  name: 'screenshots',
  summary: 'pictures of the console on a running demo, for the documentation',
  usage: `usage: gewu screenshots [--out docs/screenshots] [--after 90s]

Runs the demo for a while, then writes a WebP picture of each page in both languages.`,
  async run(args) {
    const { values } = parseFlags(args, {
      out: { type: 'string', default: 'docs/screenshots' },
      after: { type: 'string', default: '90s' },
    });
    const afterMs = parseDurationS(values.after) * 1000;
    await ensurePrograms(['ffmpeg', 'chineseFont', 'chromium']);
    await madeDir('out', values.out);
    const dir = join(process.cwd(), '.gewu/screenshots');
    const options = { seed: SEED, influxdb: false, postgres: false, durationS: 3600, apiPort: null };
    const city = new DemoCity({ dir, ...options });
    let life: CityLife | undefined;
    try {
      await city.start();
      await city.startSimulators();
      life = new CityLife({ api: city.api, fail: (what) => city.fail(what) });
      life.start();
      say(`gewu: the city runs; pictures follow in ${values.after}`);
      await pause(afterMs);
      const browser = await launchBrowser();
      await takeAll(browser, city, values.out).finally(() => browser.close());
    } finally {
      await life?.stop();
      await city.stop();
      await rm(dir, { recursive: true, force: true });
    }
    return 0;
  },
};

async function takeAll(browser: Browser, city: DemoCity, out: string): Promise<void> {
  for (const [language, locale] of Object.entries(LANGUAGES)) {
    const page = await browser.newPage({ viewport: WINDOW, locale });
    page.setDefaultTimeout(PAGE_MS_MAX);
    const { apiUrl, administrator } = city.installation;
    await page.goto(apiUrl);
    await page.locator('input[autocomplete="username"]').fill(administrator.name);
    await page.locator('input[autocomplete="current-password"]').fill(administrator.password);
    await page.keyboard.press('Enter');
    await page.locator('.nav .me').waitFor();
    for (const picture of PICTURES) {
      await page.goto(apiUrl + picture.path);
      await page.locator(picture.ready).first().waitFor();
      if ('open' in picture) await page.locator(picture.open).first().click();
      await page.waitForTimeout(SETTLE_MS);
      const file = join(out, `${picture.name}-${language}.webp`);
      await writeFile(file, await asWebp(page));
      say(`gewu: ${file}`);
    }
    await page.close();
  }
}

/** A fifth of the bytes of PNG. */
async function asWebp(page: Page): Promise<Buffer> {
  const image = await loadImage(await page.screenshot());
  const canvas = createCanvas(image.width, image.height);
  canvas.getContext('2d').drawImage(image, 0, 0);
  return canvas.encode('webp', QUALITY);
}
