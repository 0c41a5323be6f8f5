import type { RasterSourceSpecification } from 'maplibre-gl';
import type { BaseMap } from '#grid/api/mod.ts';
import { reach, type TileName, type Under, underneath } from './gcj02_plane.ts';
import { maplibregl } from './style.ts';

const SCHEME = 'gcj02';
/** Decoded tiles of the server that are kept: each lies under up to four of ours. A quarter of a megabyte each. */
const KEPT_MAX = 96;

let known = false;
/** A source of MapLibre whose tiles are those of a server in GCJ-02, drawn anew where they belong in WGS-84. */
export function gcj02Source(base: Extract<BaseMap, { kind: 'tiles' }>): RasterSourceSpecification {
  if (!known) maplibregl.addProtocol(SCHEME, load);
  known = true;
  const { url, zoomMin: minzoom, zoomMax: maxzoom, sizePx: tileSize } = base;
  return { type: 'raster', tiles: [`${SCHEME}://${encodeURIComponent(url)}/{z}/{x}/{y}`], tileSize, minzoom, maxzoom };
}

async function load({ url }: { url: string }): Promise<{ data: ImageBitmap }> {
  const [, template = '', z, x, y] = new RegExp(`^${SCHEME}://(.+)/(\\d+)/(\\d+)/(\\d+)$`).exec(url) ?? [];
  const under = underneath({ z: Number(z), x: Number(x), y: Number(y) });
  return { data: await drawn(decodeURIComponent(template), Number(z), under) };
}

/** The tiles that lie under one of ours as one picture, then that picture where it belongs: so that no seams show between them. */
async function drawn(template: string, z: number, under: Under): Promise<ImageBitmap> {
  const [x, width] = reach(under, 0);
  const [y, height] = reach(under, 1);
  const names = Array.from({ length: width * height }, (_, i) => ({ z, x: x + (i % width), y: y + Math.floor(i / width) }));
  const tiles = await Promise.all(names.map((name) => tileOf(template, name)));
  const size = tiles.find((tile) => tile !== null)?.width;
  // As MapLibre has it for a tile that is not there.
  if (size === undefined) throw Object.assign(new Error('no tile of the server lies here'), { status: 404 });
  const whole = canvas(width * size, height * size);
  for (const [i, tile] of tiles.entries())
    if (tile !== null) whole.drawImage(tile, (i % width) * size, Math.floor(i / width) * size, size, size);
  const ours = canvas(size, size);
  const { corner, alongX, alongY } = under;
  const there = [...alongX, ...alongY, (corner[0] - x) * size, (corner[1] - y) * size];
  ours.setTransform(new DOMMatrix(there).inverse());
  ours.imageSmoothingQuality = 'high';
  ours.drawImage(whole.canvas, 0, 0);
  return ours.canvas.transferToImageBitmap();
}

function canvas(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const context = new OffscreenCanvas(width, height).getContext('2d');
  if (context === null) throw new Error('the browser draws no canvas');
  return context;
}

const kept = new Map<string, Promise<ImageBitmap | null>>();
/** Null where the server has none. */
function tileOf(template: string, { z, x, y }: TileName): Promise<ImageBitmap | null> {
  const url = template.replace('{z}', String(z)).replace('{x}', String(x)).replace('{y}', String(y));
  const tile = kept.get(url) ?? fetched(url);
  // Newest last; one that could not be had is asked for again.
  kept.delete(url);
  kept.set(url, tile);
  tile.catch(() => kept.delete(url));
  const [oldest] = kept.keys();
  if (kept.size > KEPT_MAX && oldest !== undefined) kept.delete(oldest);
  return tile;
}

async function fetched(url: string): Promise<ImageBitmap | null> {
  const response = await fetch(url, { credentials: 'omit', referrerPolicy: 'no-referrer' });
  if (response.status === 404) return null;
  if (!response.ok) throw Object.assign(new Error(`a tile of the base map: ${response.status}`), { status: response.status });
  return createImageBitmap(await response.blob());
}
