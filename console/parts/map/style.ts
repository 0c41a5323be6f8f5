import 'maplibre-gl/dist/maplibre-gl.css';
import type { LngLatBoundsLike, Map as MapView, StyleSpecification } from 'maplibre-gl';
import * as maplibregl from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import type { Scheme } from '../../app/theme.tsx';
import { coarseWhileMoving } from './coarse.ts';

// The policy of the page allows workers of our own address only, no blobs.
maplibregl.setWorkerUrl(workerUrl);

/** GeoJSON of `/api/v1/cells`. */
export interface Cells {
  type: 'FeatureCollection';
  features: {
    type: 'Feature';
    id: string;
    properties: { code: string; areaM2: number; edges: string[] };
    geometry: { type: 'Polygon'; coordinates: [number, number][][] };
  }[];
}

export const GROUND: Record<Scheme, string> = { light: '#eef2f3', dark: '#11191c' };
export const LINE: Record<Scheme, string> = { light: '#9fb0b7', dark: '#3a4c52' };
export const GROUND_LAYER = 'ground';
const MAX_ZOOM = 20;

/** A map without tiles: nothing comes from elsewhere unless a base map is laid under it. */
export function emptyStyle(scheme: Scheme): StyleSpecification {
  return {
    version: 8,
    sources: {},
    layers: [{ id: GROUND_LAYER, type: 'background', paint: { 'background-color': GROUND[scheme] } }],
  };
}

/** Throws where there is no WebGL. */
export function createMap(container: HTMLElement, scheme: Scheme, interactive = true): MapView {
  const map = new maplibregl.Map({
    container,
    style: emptyStyle(scheme),
    interactive,
    attributionControl: false,
    maxZoom: MAX_ZOOM,
    dragRotate: false,
    pitchWithRotate: false,
    fadeDuration: 0,
  });
  coarseWhileMoving(map);
  return map;
}

/** Of all corners; null for no cells. */
export function boundsOf(cells: Cells): LngLatBoundsLike | null {
  const bounds = new maplibregl.LngLatBounds();
  for (const { geometry } of cells.features)
    for (const ring of geometry.coordinates) for (const corner of ring) bounds.extend(corner);
  return bounds.isEmpty() ? null : bounds;
}

export { maplibregl };
