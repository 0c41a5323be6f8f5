import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Place } from '#grid/mod.ts';
import { useThing } from '../../api/mod.ts';
import { useScheme } from '../../app/theme.tsx';
import { useBase } from './base_choice.tsx';
import { type Cells, createMap, LINE, maplibregl } from './style.ts';

const ZOOM = 17;
const METRES_PER_DEGREE = 111_195;
const CIRCLE_CORNERS = 48;

/** Where something is: its point, the circle in which it may be, the unit grids around. */
export default function PlaceMap({ place }: { place: Pick<Place, 'lon' | 'lat' | 'errorRadiusM'> }) {
  const { t } = useTranslation();
  const { scheme } = useScheme();
  const box = useRef<HTMLDivElement>(null);
  const [ready, setReady] = useState<maplibregl.Map | null>(null);
  const [failed, setFailed] = useState(false);
  const cells = useThing<Cells>(['cells'], '/api/v1/cells').data;
  const { lon, lat, errorRadiusM } = place;
  useEffect(() => {
    const container = box.current;
    if (container === null || cells === undefined) return;
    let map: maplibregl.Map;
    try {
      map = createMap(container, scheme);
    } catch {
      setFailed(true);
      return;
    }
    map.jumpTo({ center: [lon, lat], zoom: ZOOM });
    map.addControl(new maplibregl.NavigationControl({ showCompass: false }), 'top-right');
    map.on('load', () => {
      map.addSource('cells', { type: 'geojson', data: cells });
      map.addLayer({ id: 'cells', type: 'line', source: 'cells', paint: { 'line-color': LINE[scheme], 'line-width': 1.2 } });
      map.addSource('radius', { type: 'geojson', data: circle(lon, lat, errorRadiusM) });
      map.addLayer({ id: 'radius', type: 'fill', source: 'radius', paint: { 'fill-color': '#d92d20', 'fill-opacity': 0.18 } });
      map.addLayer({
        id: 'point',
        type: 'circle',
        source: { type: 'geojson', data: { type: 'Point', coordinates: [lon, lat] } },
        paint: { 'circle-radius': 6, 'circle-color': '#d92d20', 'circle-stroke-color': '#fff', 'circle-stroke-width': 2 },
      });
      setReady(map);
    });
    return () => {
      setReady(null);
      map.remove();
    };
  }, [cells, lon, lat, errorRadiusM, scheme]);
  useBase(ready);
  if (failed) return <p className="dim">{t('situation.mapFailed')}</p>;
  return <section ref={box} className="place-map" aria-label={`${t('cases.map')}: ${lon.toFixed(6)}, ${lat.toFixed(6)}`} />;
}

function circle(lon: number, lat: number, radiusM: number) {
  const dLat = Math.max(1, radiusM) / METRES_PER_DEGREE;
  const dLon = dLat / Math.cos((lat * Math.PI) / 180);
  const ring = Array.from({ length: CIRCLE_CORNERS + 1 }, (_, i): [number, number] => {
    const angle = (i / CIRCLE_CORNERS) * 2 * Math.PI;
    return [lon + dLon * Math.cos(angle), lat + dLat * Math.sin(angle)];
  });
  return { type: 'Polygon' as const, coordinates: [ring] };
}
