import type { Map as MapView } from 'maplibre-gl';
import { letNewsWait } from '../../api/mod.ts';

/** Device pixels of one pixel of the page when a map rests, and while it moves. */
const RESTING_RATIO = 1;
const MOVING_RATIO = 1 / 3;
/** A wheel stops and goes on: it rests when nothing has moved for so long. */
const REST_MS = 200;
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

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
    draw(MOVING_RATIO);
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
  map.once('remove', () => {
    clearTimeout(timer);
    moving = false;
    letNewsWait(false);
  });
}

/** As the browser names what draws. */
function isDrawnBySoftware(map: MapView): boolean {
  const gl = map.getCanvas().getContext('webgl2');
  const names = gl?.getExtension('WEBGL_debug_renderer_info');
  return gl != null && names != null && SOFTWARE.test(String(gl.getParameter(names.UNMASKED_RENDERER_WEBGL)));
}
