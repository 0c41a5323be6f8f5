import type { Map as MapView } from 'maplibre-gl';
import { letNewsWait } from '../../api/mod.ts';

/** Device pixels of one pixel of the page when a map rests, and while it moves: the first, and the next one where that is too slow. */
const RESTING_RATIO = 1;
const [COARSE, COARSEST] = [1 / 2, 1 / 3];
/** Frames of a movement that take longer in the mean are too slow: fewer than twenty-five a second. */
const FRAME_MS_MAX = 40;
const FRAMES_LOOKED_AT = 8;
/** A hand that rests while it holds the map. */
const PAUSE_MS = 500;
/** A wheel stops and goes on: it rests when nothing has moved for so long. */
const REST_MS = 200;
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** Found out by the first movement that is too slow, and kept for this page. */
let movingRatio = COARSE;

/**
 * Where the processor draws in place of a graphics card, each pixel is paid for: a map that moves is drawn coarsely there, while news waits,
 * and sharply again when it rests.
 */
export function coarseWhileMoving(map: MapView): void {
  if (!isDrawnBySoftware(map)) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let changing = false;
  const draw = (ratio: number) => {
    // Another size of the canvas is told as a movement, too, and would end the gesture in which it is set: a drag would stand still.
    changing = true;
    const stop = map.stop;
    map.stop = () => map;
    map.setPixelRatio(ratio);
    map.stop = stop;
    // Its few pixels are laid out over the page as they are: to smooth them is work for each pixel of the page.
    map.getCanvas().style.imageRendering = ratio === RESTING_RATIO ? '' : 'pixelated';
    changing = false;
  };
  draw(RESTING_RATIO);
  let moving = false;
  const move = () => {
    if (changing) return;
    clearTimeout(timer);
    if (moving) return;
    moving = true;
    draw(movingRatio);
    letNewsWait(true);
  };
  const rest = () => {
    moving = false;
    draw(RESTING_RATIO);
    letNewsWait(false);
  };
  map.on('movestart', move);
  map.on('moveend', () => {
    if (changing) return;
    clearTimeout(timer);
    timer = setTimeout(rest, REST_MS);
  });
  const pace = paceOf((frameMs) => {
    if (frameMs <= FRAME_MS_MAX || movingRatio === COARSEST) return;
    movingRatio = COARSEST;
    // Not while it is drawn.
    setTimeout(() => moving && draw(movingRatio));
  });
  map.on('render', () => moving && pace());
  map.once('remove', () => {
    clearTimeout(timer);
    moving = false;
    letNewsWait(false);
  });
}

/** To be called at each frame: tells what a frame took in the mean of a few, those left out for which nobody moved. */
function paceOf(tell: (frameMs: number) => void): () => void {
  let before = Number.NEGATIVE_INFINITY;
  let [sumMs, frames] = [0, 0];
  return () => {
    const now = performance.now();
    const ms = now - before;
    before = now;
    if (ms > PAUSE_MS) return;
    sumMs += ms;
    if (++frames < FRAMES_LOOKED_AT) return;
    tell(sumMs / frames);
    [sumMs, frames] = [0, 0];
  };
}

/** As the browser names what draws. */
function isDrawnBySoftware(map: MapView): boolean {
  const gl = map.getCanvas().getContext('webgl2');
  const names = gl?.getExtension('WEBGL_debug_renderer_info');
  return gl != null && names != null && SOFTWARE.test(String(gl.getParameter(names.UNMASKED_RENDERER_WEBGL)));
}
