import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { MqttClient } from 'mqtt';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';
import { launchBrowser } from '#cli/browser.ts';
import { coverDevice, deviceClient } from '../support/edge.ts';
import { type SmallInstallation, startSmallInstallation } from '../support/installation.ts';
import { until } from '../support/until.ts';

/** A centre and an edge as processes of their own, devices that speak to the edge, and a browser that looks at the centre. */

const ROOT = join(import.meta.dirname, '../..');
const AXE = join(ROOT, 'node_modules/axe-core/axe.min.js');
/** Pictures of every page, for people to look at; not part of the repository. */
const SCREENS = join(ROOT, '.gewu/screens');
export const PASSWORD = 'quiet-river-42-lamps';
export const COVERS = 14;
export type Who = 'viewer' | 'supervision' | 'command' | 'ops' | 'administrator';
const ROLES: Record<Who, string[]> = {
  viewer: ['viewer'],
  supervision: ['viewer', 'supervision'],
  command: ['viewer', 'command'],
  ops: ['viewer', 'ops'],
  administrator: ['viewer', 'ops', 'administrator'],
};

export const MINUTE = 60_000;
/** However busy the machine is. */
export const soon = <T>(look: () => T | Promise<T>) => expect.poll(look, { timeout: 20_000, interval: 50 });

export class City {
  readonly installation: SmallInstallation;
  readonly browser: Browser;
  readonly #devices = new Map<string, MqttClient>();
  /** The cookie of each who has signed in, and the windows that hold it. */
  readonly #sessions = new Map<Who, Cookies>();
  readonly #contexts = new Map<string, Promise<BrowserContext>>();
  /** What a page complained of: scripts, the policy, missing texts. */
  readonly complaints: string[] = [];

  private constructor(installation: SmallInstallation, browser: Browser) {
    this.installation = installation;
    this.browser = browser;
  }

  /** `more` is what the edge has beside its covers, in its site and in its file, and what the centre's file says beside the usual. */
  static async start(dir: string, more: Parameters<typeof startSmallInstallation>[3] & { centre?: object } = {}): Promise<City> {
    await promisify(execFile)(join(ROOT, 'console/fresh.sh')).catch(() => {
      throw new Error('console/dist is missing or older than its sources: run `npm run console`, or the tests by ./gewu test');
    });
    await mkdir(SCREENS, { recursive: true });
    const covers = Array.from({ length: COVERS }, (_, i) => coverDevice(coverId(i), i + 1));
    const [installation, browser] = await Promise.all([startSmallInstallation(dir, covers, more.centre, more), launchBrowser()]);
    const accounts = Object.entries(ROLES).map(([name, roles]) => ({ name, roles, password: PASSWORD }));
    await Promise.all(accounts.map((account) => installation.api.post('/api/v1/users', account)));
    return new City(installation, browser);
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await Promise.all([...this.#devices.values()].map((d) => d.endAsync(true)));
    await Promise.all([this.installation.edge.stop(), this.installation.centre.stop()]);
  }

  get url(): string {
    return this.installation.api.url;
  }

  /** A device publishes, durably at the edge when it resolves. */
  async publish(device: string, payload: object | string, topic: 'telemetry' | 'status' = 'telemetry'): Promise<void> {
    const client = this.#devices.get(device) ?? (await deviceClient(this.installation.edgeBrokerPort, device));
    this.#devices.set(device, client);
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    await client.publishAsync(`devices/${device}/${topic}`, text, { qos: 1 });
  }

  /** Waits for an answer of the API. */
  async reached<T>(path: string, good: (answer: T) => boolean, what: string): Promise<T> {
    return until(
      async () => {
        const answer = await this.installation.api.get<T>(path);
        return good(answer) ? answer : null;
      },
      { timeoutMs: 60_000, everyMs: 100, what },
    );
  }

  /** A page in a window of its own; what goes wrong on it is kept in `complaints`. */
  async open(options: Look = {}): Promise<Page> {
    return this.#watched(await this.#context(options));
  }

  /** A page for one of the five, who is signed in; the form is a matter of the tests of rights. Pages of one look share what they have loaded. */
  async signIn(who: Who, look: Look = {}): Promise<Page> {
    const key = `${who} ${JSON.stringify(look)}`;
    const context = this.#contexts.get(key) ?? this.#signedIn(who, look);
    this.#contexts.set(key, context);
    return this.#watched(await context);
  }

  /** Goes there: the first time by its address, then as a link of the console does. */
  async go(page: Page, path: string): Promise<void> {
    if (page.url().startsWith(this.url))
      await page.evaluate(`history.pushState(null, '', ${JSON.stringify(path)}); dispatchEvent(new PopStateEvent('popstate'))`);
    else await page.goto(this.url + path);
    await settled(page);
  }

  #context(look: Look): Promise<BrowserContext> {
    return this.browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'zh-CN', ...look });
  }

  async #signedIn(who: Who, look: Look): Promise<BrowserContext> {
    const context = await this.#context(look);
    const session = this.#sessions.get(who);
    if (session === undefined) {
      const answer = await context.request.post(`${this.url}/api/v1/session`, { data: { name: who, password: PASSWORD } });
      expect([who, answer.status()]).toEqual([who, 200]);
      this.#sessions.set(who, await context.cookies());
    } else await context.addCookies(session);
    return context;
  }

  async #watched(context: BrowserContext): Promise<Page> {
    const page = await context.newPage();
    page.on('pageerror', (error) => this.complaints.push(`${page.url()}: ${error.message}`));
    page.on('console', (message) => {
      // A refusal that a test provokes is no complaint.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        this.complaints.push(`${page.url()}: ${message.text()}`);
    });
    return page;
  }
}

type Look = NonNullable<Parameters<Browser['newContext']>[0]>;
type Cookies = Awaited<ReturnType<BrowserContext['cookies']>>;

/** Fills in the form of the sign-in page. */
export async function enter(page: Page, name: string, password: string): Promise<void> {
  await page.locator('input[autocomplete="username"]').fill(name);
  await page.locator('input[autocomplete="current-password"]').fill(password);
  await page.keyboard.press('Enter');
}

export const coverId = (i: number) => `mh-${String(i + 1).padStart(2, '0')}`;

/** Nothing is on its way any more: no skeleton, no spinner. */
export async function settled(page: Page): Promise<void> {
  await page.locator('main h1').first().waitFor();
  await expect
    .poll(() => page.locator('.waiting, .ant-skeleton, .city-map[data-drawn="false"]').count(), { timeout: 20_000 })
    .toBe(0);
}

export async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(SCREENS, `${name}.jpg`), quality: 85 });
}

interface Violation {
  id: string;
  impact: string;
  nodes: { target: string[]; failureSummary: string }[];
}

/** What axe finds serious or worse, by all its rules or by those of colours. Run as by a debugger, which the policy of the page does not bind. */
export async function seriousIn(page: Page, rules: 'all' | 'colours' = 'all'): Promise<string[]> {
  if (!(await page.evaluate('"axe" in globalThis'))) await page.evaluate(await readFile(AXE, 'utf8'));
  const options = {
    resultTypes: ['violations'],
    ...(rules === 'all' ? {} : { runOnly: ['color-contrast', 'link-in-text-block'] }),
  };
  const { violations } = (await page.evaluate(`axe.run(document, ${JSON.stringify(options)})`)) as { violations: Violation[] };
  return violations
    .filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .map(
      (v) =>
        `${v.id}: ${v.nodes.map((n) => `${n.target.join(' ')} (${n.failureSummary.split('\n').at(-1)?.trim()})`).join('; ')}`,
    );
}

export type { BrowserContext, Page };
