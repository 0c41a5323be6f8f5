import type { BrowserContext, Page } from 'playwright-core';

/** What a page's recorder has seen. */
export interface Seen {
  /** ms between the frames in which what was moved stood elsewhere than before; the last until the recording ended. */
  movesMs: number[];
  /** The newest event on screen, by its number, and the UTC ms from which it could be seen. */
  events: { number: number; at: number }[];
}

/**
 * Runs before a page's own scripts: counts the places in which the map was drawn, by the matrices in the uniform buffers that WebGL was
 * given, and how often something was scrolled.
 */
const WATCH = `(() => {
  const { bufferData, UNIFORM_BUFFER } = WebGL2RenderingContext.prototype;
  globalThis.mapPlaces = new Set();
  WebGL2RenderingContext.prototype.bufferData = function (target, data, ...more) {
    if (target === UNIFORM_BUFFER && ArrayBuffer.isView(data)) {
      // By their bits: to write the numbers out takes longer than to draw by them.
      const words = new Uint32Array(data.buffer, data.byteOffset, data.byteLength >> 2);
      let hash = 0;
      for (const word of words) hash = (Math.imul(hash, 31) + word) | 0;
      globalThis.mapPlaces.add(hash);
    }
    return bufferData.call(this, target, data, ...more);
  };
  globalThis.scrolls = 0;
  document.addEventListener('scroll', () => globalThis.scrolls++, { capture: true, passive: true });
})()`;

/** Of pages opened from now on the recorder sees whether map and list move. */
export function watchMoves(context: BrowserContext): Promise<unknown> {
  return context.addInitScript(WATCH);
}

/** What is moved, as an expression that has another value as soon as it stands elsewhere; to ask a list where it stands would lay it out. */
const MOVED = { map: 'mapPlaces.size', list: 'scrolls' } as const;

/** Runs in the page: looks at each frame whether what is moved stands elsewhere, and notes the number at the end of the newest event's id. */
const recorderOf = (moved: string) => `(() => {
  const place = () => ${moved};
  const seen = { movesMs: [], events: [] };
  let at = place();
  let movedAt = null;
  let newest = -1;
  let waiting = null;
  const moves = (now) => {
    if (movedAt !== null) seen.movesMs.push(now - movedAt);
    movedAt = now;
  };
  const frame = (now) => {
    if (place() !== at) moves(now);
    at = place();
    // What was in the document a frame ago has been drawn by now.
    if (waiting !== null) seen.events.push({ number: waiting, at: performance.timeOrigin + now });
    waiting = null;
    const id = document.querySelector('.latest [data-event]')?.dataset.event ?? '-1';
    const number = Number(id.slice(id.lastIndexOf('-') + 1));
    if (number > newest) waiting = newest = number;
    if (globalThis.recording) requestAnimationFrame(frame);
  };
  globalThis.recording = () => {
    moves(performance.now());
    globalThis.recording = null;
    return seen;
  };
  requestAnimationFrame(frame);
})()`;

/** Records while `act` runs. */
export async function recorded(page: Page, moved: keyof typeof MOVED, act: () => Promise<void>): Promise<Seen> {
  await page.evaluate(recorderOf(MOVED[moved]));
  await act();
  return (await page.evaluate('globalThis.recording()')) as Seen;
}

/** Of the document at hand, ms from the beginning of its navigation. */
export function firstPaint(page: Page): Promise<number> {
  return page.evaluate(`performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN`);
}

/** ms from the beginning of the navigation until a frame follows at once on what is asked for. */
export async function interactive(page: Page): Promise<number> {
  await page.locator('.tile-value').first().waitFor();
  await page.locator('.city-map[data-drawn="true"]').waitFor();
  return page.evaluate('new Promise((resolve) => requestAnimationFrame(() => setTimeout(() => resolve(performance.now()))))');
}

/** Bytes on the wire of what the document at hand names: itself, its scripts and its styles. For one that has not gone to a page yet. */
export function firstLoadBytes(page: Page): Promise<number> {
  return page.evaluate(`(() => {
    const named = new Set([...document.querySelectorAll('script[src], link[rel="modulepreload"], link[rel="stylesheet"]')]
      .map((e) => e.src || e.href));
    const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
    return all.filter((e) => e.entryType === 'navigation' || named.has(e.name)).reduce((sum, e) => sum + e.encodedBodySize, 0);
  })()`);
}

/** A mouse tells sixty times a second where it is. */
const HAND_MS = 1000 / 60;
const UNANSWERED_MAX = 60;
/** Faster than anybody reads: 130 rows. */
const SCROLL_PX_PER_S = 6_000;

/** Drags the map to and fro. */
export async function pan(page: Page, ms: number): Promise<void> {
  const box = await page.locator('.city-map canvas').boundingBox();
  if (box === null) throw new Error('there is no map');
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await steadily(ms, (step) => {
    const angle = step / 12;
    return page.mouse.move(x + 180 * Math.sin(angle), y + 120 * Math.sin(angle * 1.7));
  });
  await page.mouse.up();
}

/** Scrolls the list down by the wheel of a mouse, page after page as they come; the browser itself turns it, once for each frame. */
export async function scroll(page: Page, ms: number): Promise<void> {
  const box = await page.locator('.rows-body').boundingBox();
  if (box === null) throw new Error('there is no list');
  const browser = await page.context().newCDPSession(page);
  await browser.send('Input.synthesizeScrollGesture', {
    x: box.x + box.width / 2,
    y: box.y + box.height / 2,
    yDistance: -(SCROLL_PX_PER_S * ms) / 1000,
    speed: SCROLL_PX_PER_S,
    gestureSourceType: 'mouse',
  });
  await browser.detach();
}

/** A hand goes on while the page draws: it does not wait for what it sees. */
async function steadily(ms: number, act: (step: number) => Promise<void>): Promise<void> {
  const under = new Set<Promise<void>>();
  const until = performance.now() + ms;
  for (let step = 0; performance.now() < until; step++) {
    // Unless the page answers nothing any more.
    if (under.size >= UNANSWERED_MAX) await Promise.race(under);
    const done = act(step).finally(() => under.delete(done));
    under.add(done);
    await new Promise((resolve) => setTimeout(resolve, HAND_MS));
  }
  await Promise.all(under);
}
