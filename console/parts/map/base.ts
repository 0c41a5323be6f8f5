import type { IControl, LayerSpecification, Map as MapView, SourceSpecification } from 'maplibre-gl';
import type { BaseMap } from '#grid/api/mod.ts';
import type { Scheme } from '../../app/theme.tsx';
import { GROUND_LAYER } from './style.ts';

/** The source of whatever lies under the unit grids, and the beginning of its layers' names. */
export const BASE = 'base';
/** Bright pictures are tamed in the dark. */
const RASTER = {
  light: {},
  dark: { 'raster-brightness-max': 0.65, 'raster-saturation': -0.3 },
} as const;

/** Puts a base map under everything else, or takes away what is there. Rejects when it cannot be read. `wanted` says whether it still is. */
export async function layBase(map: MapView, base: BaseMap | null, scheme: Scheme, wanted: () => boolean): Promise<void> {
  const parts = base === null ? null : await partsOf(base, scheme);
  if (!wanted()) return;
  const order = map.getLayersOrder();
  for (const id of order) if (id.startsWith(`${BASE}-`)) map.removeLayer(id);
  if (map.getSource(BASE)) map.removeSource(BASE);
  if (parts === null) return;
  map.addSource(BASE, parts.source);
  const above = order.find((id) => id !== GROUND_LAYER && !id.startsWith(`${BASE}-`));
  for (const layer of parts.layers) map.addLayer(layer, above);
}

interface Parts {
  source: SourceSpecification;
  layers: LayerSpecification[];
}

/** What reads each kind is loaded with the first of it. */
async function partsOf(base: BaseMap, scheme: Scheme): Promise<Parts> {
  const pictures: LayerSpecification[] = [{ id: `${BASE}-pictures`, type: 'raster', source: BASE, paint: RASTER[scheme] }];
  if (base.kind === 'pmtiles') {
    const { source, layers } = await (await import('./pmtiles.ts')).pmtilesSource(base.url, { id: BASE, scheme });
    return { source, layers: layers ?? pictures };
  }
  if (base.coordinates === 'gcj02') return { source: (await import('./gcj02_tiles.ts')).gcj02Source(base), layers: pictures };
  const { url, sizePx: tileSize, zoomMin: minzoom, zoomMax: maxzoom } = base;
  return { source: { type: 'raster', tiles: [url], tileSize, minzoom, maxzoom }, layers: pictures };
}

/** Whose map it is, as plain text: MapLibre's own control takes markup. */
export class Credit implements IControl {
  readonly #element = document.createElement('p');

  onAdd(): HTMLElement {
    this.#element.className = 'maplibregl-ctrl map-credit';
    return this.#element;
  }

  onRemove(): void {
    this.#element.remove();
  }

  say(text: string): void {
    this.#element.textContent = text;
    this.#element.hidden = text === '';
  }
}
