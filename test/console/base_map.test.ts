import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '#cli/browser.ts';
import { distanceM, toGcj02 } from '#grid/mod.ts';
import { hashPassword } from '../../ingest/sessions/mod.ts';
import { fileOf, HERE, TestCentre } from '../ingest/api/fixture.ts';
import { mvtOf, pmtilesOf } from '../support/pmtiles.ts';
import { tempDir } from '../support/temp.ts';
import { startTileServer, type TileServer, tilePlace, tileWithMark } from '../support/tiles.ts';
import { enter, MINUTE, soon } from './fixture.ts';
import { centreOf, pixelsOf, reachOf } from './pixels.ts';

/** Whether a base map lies right under the unit grids: each shows a mark in the middle of one of them, measured in pixels of the screen. */

const PASSWORD = 'quiet-river-42-lamps';
/** Of the unit grid, whose middle is HERE. */
const CELL_SIDE_M = 400;
const ZOOMS = [10, 11, 12, 13, 14, 15, 16, 17];
const MARK = [255, 0, 255] as const;
const WATER = [185, 215, 232] as const;
const OUTLINE = [15, 118, 110] as const;
/** The middle of a line, a pixel wide, is mixed with what lies beside it; a surface is not. */
const LEVELS = { line: 40, surface: 12 };

let dir: string;
let tiles: TileServer;
let centre: TestCentre;
let browser: Browser;
let context: BrowserContext;
let page: Page;
const complaints: string[] = [];
const asked: string[] = [];

beforeAll(async () => {
  dir = await tempDir({ keep: true });
  // What stands in the middle of the grid stands elsewhere by the coordinates of such a server.
  tiles = await startTileServer(toGcj02(HERE));
  await writeFile(
    join(dir, 'city.pmtiles'),
    pmtilesOf(
      around((name) => tileWithMark(name, HERE)),
      'png',
    ),
  );
  const { api } = fileOf() as { api: object };
  const firstAdministrator = { name: 'admin', passwordHash: await hashPassword(PASSWORD) };
  const source = { url: tiles.url, attribution: '© <b>nobody</b>' };
  const map = {
    pmtiles: { file: 'city.pmtiles', name: 'own' },
    tiles: [
      { id: 'shifted', name: 'shifted', coordinates: 'gcj02', ...source },
      { id: 'as-it-is', name: 'as it is', coordinates: 'wgs84', ...source },
    ],
  };
  [centre, browser] = await Promise.all([
    TestCentre.start({ api: { ...api, sessions: { firstAdministrator } }, map }, dir),
    launchBrowser(),
  ]);
  context = await browser.newContext({ viewport: { width: 1000, height: 700 }, locale: 'en' });
  page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(centre.centre.apiUrl);
  await page.evaluate(`localStorage.setItem('gewu.map', 'none')`);
  await enter(page, 'admin', PASSWORD);
  await page.locator('.nav .me').waitFor();
}, 2 * MINUTE);
afterEach(() => {
  asked.length = 0;
});
afterAll(async () => {
  await browser?.close();
  await Promise.all([centre?.stop(), tiles?.stop()]);
  await rm(dir, { recursive: true, force: true });
});

/** The tiles of all zooms around the grid. */
function around<T>(make: (name: { z: number; x: number; y: number }) => T): { z: number; x: number; y: number; bytes: T }[] {
  const sides = [-2, -1, 0, 1, 2];
  return ZOOMS.flatMap((z) => {
    const { x, y } = tilePlace(HERE, z);
    return sides.flatMap((dx) =>
      sides.map((dy) => {
        const name = { z, x: Math.floor(x) + dx, y: Math.floor(y) + dy };
        return { ...name, bytes: make(name) };
      }),
    );
  });
}

/** Chooses a base map as a person does. */
async function choose(name: string): Promise<void> {
  await page.locator('.map-base .ant-select').click();
  await page.locator('.ant-select-dropdown:visible .ant-select-item', { hasText: name }).click();
}

/** Opens the situation, and chooses the grid around HERE: its outline is what marks are measured against. */
async function open(): Promise<void> {
  await page.goto(centre.centre.apiUrl);
  await page.locator('.city-map[data-drawn="true"]').waitFor();
  const box = await page.locator('.city-map canvas').boundingBox();
  if (box === null) throw new Error('there is no map');
  await page.mouse.click(box.x + box.width * 0.3, box.y + box.height * 0.5);
  await page.locator('.cell-card').waitFor();
  // What lies over the map is in the way of measuring.
  await page.evaluate(`for (const e of document.querySelectorAll('.cell-card, .legend')) e.style.visibility = 'hidden'`);
}

interface Seen {
  /** Middle of the outline, pixels of the canvas. */
  grid: { x: number; y: number };
  /** A side of it. */
  sidePx: number;
  /** Middle of what has the colour; null where there is nothing of it. */
  mark: { x: number; y: number } | null;
}

async function look(colour: readonly number[]): Promise<Seen> {
  const { points, width, height } = await pixelsOf(page.locator('.city-map canvas'));
  const line = points(OUTLINE, LEVELS.line);
  const { left, right, top, bottom } = reachOf(line);
  const [x, y] = [(left + right) / 2, (top + bottom) / 2];
  expect([line.length > 50, x > 0 && x < width, y > 0 && y < height]).toEqual([true, true, true]);
  return { grid: { x, y }, sidePx: right - left, mark: centreOf(points(colour, LEVELS.surface)) };
}

/** Pixels from the middle of the grid to the mark, to the right and down, when it stands still. */
async function offset(colour: readonly number[] = MARK): Promise<{ x: number; y: number; sidePx: number }> {
  let before = '';
  let seen: Seen | undefined;
  await soon(async () => {
    seen = await look(colour);
    const now = JSON.stringify(seen);
    const still = now === before && seen.mark !== null;
    before = now;
    return still;
  }).toBe(true);
  if (seen?.mark == null) throw new Error('no mark');
  return { x: seen.mark.x - seen.grid.x, y: seen.mark.y - seen.grid.y, sidePx: seen.sidePx };
}

async function zoomOut(): Promise<void> {
  await page.locator('.maplibregl-ctrl-zoom-out').click();
  await page.mouse.move(0, 0);
}

test('what a base map needs is loaded with the first one that is shown', { timeout: MINUTE }, async () => {
  const readers = () => asked.filter((url) => /\/assets\/(pmtiles|gcj02_tiles)-/.test(url));
  await open();
  expect((await look(MARK)).mark).toBeNull();
  expect([readers(), asked.filter((url) => url.includes('/map/pmtiles'))]).toEqual([[], []]);
  await choose('own');
  await offset();
  expect(readers()).toHaveLength(1);
});

test('a PMTiles file on the disk of the centre lies right under the grids', { timeout: MINUTE }, async () => {
  await open();
  for (let zoom = 0; zoom < 3; zoom++) {
    const { x, y } = await offset();
    expect([Math.abs(x), Math.abs(y)].every((px) => px < 1)).toBe(true);
    await zoomOut();
  }
});

test('tiles of a server in GCJ-02 lie right under the grids, zoom by zoom', { timeout: MINUTE }, async () => {
  await choose('shifted');
  await open();
  expect(await page.locator('.map-credit').textContent()).toBe('© <b>nobody</b>');
  for (let zoom = 0; zoom < 3; zoom++) {
    const { x, y } = await offset();
    expect([Math.abs(x), Math.abs(y)].every((px) => px < 1)).toBe(true);
    await zoomOut();
  }
});

test('taken as WGS-84 they would lie hundreds of metres off: the measuring sees it', { timeout: MINUTE }, async () => {
  await choose('as it is');
  await open();
  await zoomOut();
  const { x, y, sidePx } = await offset();
  const offM = Math.hypot(x, y) * (CELL_SIDE_M / sidePx);
  expect(offM / distanceM(HERE, toGcj02(HERE))).toBeCloseTo(1, 1);
});

test('a file that was replaced by one of vector tiles is read anew', { timeout: MINUTE }, async () => {
  // Water in the middle third of the grid: of each tile, what of it lies in there and a little beyond.
  const [third, size] = [CELL_SIDE_M / 6 / 111_195, 4096];
  const lon = third / Math.cos((HERE.lat * Math.PI) / 180);
  const water = around(({ z, x, y }) => {
    const [nw, se] = [
      tilePlace({ lon: HERE.lon - lon, lat: HERE.lat + third }, z),
      tilePlace({ lon: HERE.lon + lon, lat: HERE.lat - third }, z),
    ];
    const clip = (v: number) => Math.round(Math.min(1.02, Math.max(-0.02, v)) * size);
    const [west, east, north, south] = [clip(nw.x - x), clip(se.x - x), clip(nw.y - y), clip(se.y - y)];
    return mvtOf('water', [
      [west, north],
      [east, north],
      [east, south],
      [west, south],
    ]);
  });
  await writeFile(join(dir, 'new.pmtiles'), pmtilesOf(water, 'mvt'));
  await rename(join(dir, 'new.pmtiles'), join(dir, 'city.pmtiles'));
  await choose('own');
  await open();
  const { x, y } = await offset(WATER);
  expect([Math.abs(x), Math.abs(y)].every((px) => px < 1)).toBe(true);
});

test('a server that does not answer is told, and the grids stay', { timeout: MINUTE }, async () => {
  await choose('shifted');
  await page.route(`${new URL(tiles.url).origin}/**`, (route) => route.abort());
  await open();
  await page.locator('.map-base').getByText('does not load').waitFor();
  await page.unrouteAll();
});

test('no page complained: no error, no breach of the policy', () => {
  expect(complaints.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([]);
});
