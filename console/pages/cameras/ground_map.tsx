import type { GeoJSONSource, Map as MapView, Marker } from 'maplibre-gl';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { DeviceAnswer } from '#grid/api/mod.ts';
import { useThing, withQuery } from '../../api/mod.ts';
import { useScheme } from '../../app/theme.tsx';
import { BaseChoice, useBase } from '../../parts/map/base_choice.tsx';
import { type Cells, createMap, LINE, maplibregl } from '../../parts/map/style.ts';
import type { GroundPoint } from './ground_points.ts';

const ZOOM = 18.5;
const LANDMARKS_MAX = 200;

interface Position {
  lon: number;
  lat: number;
}

/** The ground from above: the camera, what it sees, sensors as landmarks, and the points, of which the chosen one goes where is clicked. */
export default function GroundMap({
  camera,
  points,
  chosen,
  seen,
  onPlace,
  onChoose,
}: {
  camera: Position & { edge: string };
  points: readonly GroundPoint[];
  chosen: number | null;
  /** Ring of [lon, lat]; empty where nothing is known. */
  seen: [number, number][];
  onPlace: (index: number, place: Position) => void;
  onChoose: (index: number) => void;
}) {
  const { t } = useTranslation();
  const { scheme } = useScheme();
  const box = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<MapView | null>(null);
  const [failed, setFailed] = useState(false);
  const cells = useThing<Cells>(['cells'], '/api/v1/cells').data;
  const landmarks = useThing<{ items: DeviceAnswer[] }>(
    ['devices', 'landmarks', camera.edge],
    withQuery('/api/v1/devices', { edge: camera.edge, limit: LANDMARKS_MAX }),
  ).data;
  const acts = useRef({ onPlace, onChoose, chosen });
  acts.current = { onPlace, onChoose, chosen };
  const { lon, lat } = camera;

  useEffect(() => {
    const container = box.current;
    if (container === null || cells === undefined) return;
    let view: MapView;
    try {
      view = createMap(container, scheme);
    } catch {
      setFailed(true);
      return;
    }
    view.jumpTo({ center: [lon, lat], zoom: ZOOM });
    view.addControl(new maplibregl.NavigationControl({ showCompass: false }), 'top-right');
    view.addControl(new maplibregl.ScaleControl({ maxWidth: 90 }), 'bottom-left');
    view.on('load', () => {
      addLayers(view, { cells, lon, lat, dark: scheme === 'dark', line: LINE[scheme] });
      setMap(view);
    });
    view.on('click', ({ lngLat }) => {
      const { chosen: index } = acts.current;
      if (index !== null) acts.current.onPlace(index, { lon: lngLat.lng, lat: lngLat.lat });
    });
    return () => {
      setMap(null);
      view.remove();
    };
  }, [cells, lon, lat, scheme]);

  useEffect(
    () => setData(map, 'seen', { type: 'Polygon', coordinates: seen.length < 3 ? [] : [[...seen, seen[0]]] }),
    [map, seen],
  );
  useEffect(() => {
    const coordinates = (landmarks?.items ?? []).map((d) => [d.lon, d.lat]);
    setData(map, 'landmarks', { type: 'MultiPoint', coordinates });
  }, [map, landmarks]);
  useMarkers(map, points, chosen, acts);
  const { failed: baseFailed } = useBase(map);

  if (failed) return <p className="dim">{t('situation.mapFailed')}</p>;
  return (
    <div className="ground-map-box">
      <section ref={box} className="ground-map" aria-label={t('calibration.map')} data-drawn={map !== null} />
      <BaseChoice failed={baseFailed} />
    </div>
  );
}

function addLayers(
  view: MapView,
  { cells, lon, lat, dark, line }: { cells: Cells; lon: number; lat: number; dark: boolean; line: string },
): void {
  const empty = { type: 'Polygon' as const, coordinates: [] };
  view.addSource('cells', { type: 'geojson', data: cells });
  view.addLayer({ id: 'cells', type: 'line', source: 'cells', paint: { 'line-color': line, 'line-width': 1.2 } });
  view.addSource('seen', { type: 'geojson', data: empty });
  view.addLayer({ id: 'seen', type: 'fill', source: 'seen', paint: { 'fill-color': '#409cff', 'fill-opacity': 0.18 } });
  view.addSource('landmarks', { type: 'geojson', data: empty });
  const circle = (radius: number, colour: string) => ({ 'circle-radius': radius, 'circle-color': colour });
  view.addLayer({ id: 'landmarks', type: 'circle', source: 'landmarks', paint: circle(4, dark ? '#9fb0b7' : '#5a6a73') });
  view.addSource('camera', { type: 'geojson', data: { type: 'Point', coordinates: [lon, lat] } });
  const edge = { 'circle-stroke-color': '#fff', 'circle-stroke-width': 2 };
  view.addLayer({ id: 'camera', type: 'circle', source: 'camera', paint: { ...circle(7, '#0f766e'), ...edge } });
}

function setData(map: MapView | null, source: string, geometry: { type: string; coordinates: unknown }): void {
  void (map?.getSource(source) as GeoJSONSource | undefined)?.setData(geometry as never);
}

/** One marker a point, numbered as in the picture, to be dragged. The table below sets them by keyboard. */
function useMarkers(
  map: MapView | null,
  points: readonly GroundPoint[],
  chosen: number | null,
  acts: { current: { onPlace: (index: number, place: Position) => void; onChoose: (index: number) => void } },
): void {
  useEffect(() => {
    if (map === null) return;
    const markers = points.flatMap(({ place }, i): Marker[] => {
      if (place === null) return [];
      const element = document.createElement('span');
      element.className = i === chosen ? 'ground-point chosen' : 'ground-point';
      element.textContent = String(i + 1);
      element.addEventListener('click', (e) => {
        e.stopPropagation();
        acts.current.onChoose(i);
      });
      const marker = new maplibregl.Marker({ element, draggable: true }).setLngLat([place.lon, place.lat]).addTo(map);
      marker.on('dragend', () => {
        const { lng, lat } = marker.getLngLat();
        acts.current.onPlace(i, { lon: lng, lat });
      });
      return [marker];
    });
    return () => {
      for (const marker of markers) marker.remove();
    };
  }, [map, points, chosen, acts]);
}
