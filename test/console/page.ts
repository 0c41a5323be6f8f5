import { readFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

const ROOT = join(import.meta.dirname, '../..');
const IMPORTS = {
  '#grid/': '/grid/',
  '@cycjimmy/jsmpeg-player': '/node_modules/@cycjimmy/jsmpeg-player/dist/jsmpeg-player.esm.js',
};
/** What a page that shows a live view has to allow, and no more. */
const POLICY = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; media-src blob:; connect-src *";
const HTML = `<!doctype html><meta charset="utf-8"><style>body{margin:0;background:#111}.view{position:relative;width:640px;height:360px;margin:4px;float:left}</style>
<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>
<script type="module">import { LiveViewer } from '/console/live/mod.ts';
const views = {};
/** What a view shows, small. */
const pixels = (name) => {
  const ctx = new OffscreenCanvas(320, 180).getContext('2d', { willReadFrequently: true });
  ctx.drawImage(views[name].container.firstElementChild, 0, 0, 320, 180);
  return ctx.getImageData(0, 0, 320, 180).data;
};
globalThis.live = {
  look(name, options) {
    const container = document.createElement('div');
    container.className = 'view';
    document.body.append(container);
    const view = { container, first: null, asked: performance.now(), phases: [] };
    const onStatus = ({ phase, code }) => view.phases.push(code ?? phase);
    view.viewer = new LiveViewer({ ...options, container, onStatus });
    view.viewer.start();
    const watch = () => {
      if (view.viewer.shownAt === null) requestAnimationFrame(watch);
      else view.first = performance.now() - view.asked;
    };
    watch();
    views[name] = view;
  },
  shown(name) {
    const { viewer, first } = views[name];
    return { shownAt: viewer.shownAt, boxes: viewer.shownBoxes, firstMs: first };
  },
  status: (name) => views[name].viewer.status,
  phases: (name) => views[name].phases,
  pictures: (name) => views[name].container.children.length - 1,
  mean(name) {
    const data = pixels(name);
    let sum = 0;
    for (let at = 0; at < data.length; at += 4) sum += data[at];
    return (4 * sum) / data.length;
  },
  detail(name, [left, top, right, bottom]) {
    const data = pixels(name);
    let [sum, count] = [0, 0];
    for (let y = Math.ceil(top * 180); y < bottom * 180; y++)
      for (let x = Math.ceil(left * 320) + 1; x < right * 320; x++) {
        const at = (y * 320 + x) * 4;
        sum += Math.abs(data[at] - data[at - 4]);
        count++;
      }
    return sum / count;
  },
  drawnAt(name, [x, y]) {
    const overlay = views[name].container.lastElementChild;
    const { data } = overlay.getContext('2d').getImageData(x * overlay.width - 1, y * overlay.height - 8, 3, 16);
    for (let at = 0; at < data.length; at += 4)
      if (data[at] > 200 && data[at + 1] > 120 && data[at + 2] < 80 && data[at + 3] > 200) return true;
    return false;
  },
  async agreement(name, ms) {
    let [same, all] = [0, 0];
    for (const end = performance.now() + ms; performance.now() < end; all++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (this.mean(name) > 120 === views[name].viewer.shownBoxes.length > 0) same++;
    }
    return same / all;
  },
};</script>`;

export interface Shown {
  shownAt: number | null;
  boxes: { class: string; box: number[] }[];
  /** ms from asking to the first picture. */
  firstMs: number | null;
}

/** Debian's Chromium on a page that shows live views by the console's own modules, types taken out. */
export class LivePage {
  readonly origin: string;
  /** What went wrong in the page. */
  readonly faults: string[];
  readonly #server: Server;
  readonly #browser: Browser;
  readonly #page: Page;

  private constructor(server: Server, origin: string, browser: Browser, page: Page) {
    this.#server = server;
    this.#browser = browser;
    this.origin = origin;
    this.#page = page;
    this.faults = [];
    page.on('pageerror', (error) => this.faults.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && this.faults.push(message.text()));
  }

  static async open(): Promise<LivePage> {
    const server = createServer((request, response) => void serve(request.url ?? '/', response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const args = ['--no-sandbox', '--disable-background-networking'];
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
    const page = new LivePage(server, origin, browser, await browser.newPage({ viewport: { width: 1320, height: 380 } }));
    await page.#page.goto(origin);
    await page.#page.waitForFunction('globalThis.live !== undefined');
    return page;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Opens a view under a name. */
  look(name: string, options: object): Promise<void> {
    return this.#ask('look', name, options);
  }

  shown(name: string): Promise<Shown> {
    return this.#ask('shown', name);
  }

  status(name: string): Promise<{ phase: string; code?: string }> {
    return this.#ask('status', name);
  }

  /** All that it has been, or why it ended. */
  phases(name: string): Promise<string[]> {
    return this.#ask('phases', name);
  }

  /** How many elements show pictures: the overlay is none. */
  pictures(name: string): Promise<number> {
    return this.#ask('pictures', name);
  }

  /** Mean brightness of what is shown. */
  mean(name: string): Promise<number> {
    return this.#ask('mean', name);
  }

  /** Mean difference of neighbours in a part of what is shown (fractions): in a block it is none. */
  detail(name: string, part: readonly number[]): Promise<number> {
    return this.#ask('detail', name, part);
  }

  /** Whether a box is drawn within a few pixels of a point (fractions). */
  drawnAt(name: string, point: readonly number[]): Promise<boolean> {
    return this.#ask('drawnAt', name, point);
  }

  /** Share of the moments in which a bright picture has a box, and a dark one has none. */
  agreement(name: string, ms: number): Promise<number> {
    return this.#ask('agreement', name, ms);
  }

  /** For a look with one's own eyes, where GEWU_SCREENSHOTS names a folder. */
  async screenshot(name: string): Promise<void> {
    const dir = process.env.GEWU_SCREENSHOTS;
    if (dir !== undefined) await this.#page.screenshot({ path: join(dir, `${name}.png`) });
  }

  /** A function of the page, by its name. */
  #ask<T>(name: string, ...args: unknown[]): Promise<T> {
    type Functions = { live: Record<string, (...args: unknown[]) => Promise<T>> };
    return this.#page.evaluate(([f, a]) => (globalThis as unknown as Functions).live[f]?.(...a) as Promise<T>, [
      name,
      args,
    ] as const);
  }
}

async function serve(url: string, response: ServerResponse): Promise<void> {
  const path = normalize(new URL(url, 'http://page').pathname);
  if (path === '/') {
    response.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': POLICY }).end(HTML);
    return;
  }
  const text = await readFile(join(ROOT, path), 'utf8').catch(() => null);
  if (text === null) response.writeHead(404).end();
  else
    response.writeHead(200, { 'content-type': 'text/javascript' }).end(path.endsWith('.ts') ? stripTypeScriptTypes(text) : text);
}
