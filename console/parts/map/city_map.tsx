import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UrgentCase } from '#grid/api/mod.ts';
import { type Scheme, useScheme } from '../../app/theme.tsx';
import { BaseChoice, useBase } from './base_choice.tsx';
import { bordersOf } from './borders.ts';
import { HATCHED, hatch, SHADES, type Shade } from './shades.ts';
import { boundsOf, type Cells, createMap, LINE, maplibregl } from './style.ts';

const FIT_PADDING_PX = 24;
const POINT_COLOURS = ['#b42318', '#dc6803', '#1570ef', '#667085'];
const SEVERITIES = ['critical', 'high', 'normal', 'low'];

/** Over a base map; a unit grid without a shade then hides nothing of it. */
const OPACITY = { alone: 0.85, overBase: 0.5 };
const CLEAR = 'rgba(0, 0, 0, 0)';
/** What of its neighbours a tile holds, of 512: enough for the widest line. MapLibre's own quarter of a tile is more than twice the work. */
const BUFFER_PX = 8;
/** A layer of nothing is drawn all the same. */
const HIDDEN = { visibility: 'none' } as const;

const NO_SHADES: ReadonlyMap<string, Shade> = new Map();

/** The unit grids of the city, each in its shade, and cases on them. */
export default function CityMap({
  cells,
  shades,
  cases,
  chosen,
  onCell,
  onCase,
}: {
  cells: Cells;
  shades: ReadonlyMap<string, Shade>;
  cases: readonly UrgentCase[];
  chosen: string | null;
  onCell: (code: string | null) => void;
  onCase: (id: string) => void;
}) {
  const { t } = useTranslation();
  const { scheme } = useScheme();
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<maplibregl.Map | null>(null);
  const [ready, setReady] = useState<maplibregl.Map | null>(null);
  const [failed, setFailed] = useState(false);
  const [drawn, setDrawn] = useState(false);
  const painted = useRef(NO_SHADES);
  const acts = useRef({ onCell, onCase });
  acts.current = { onCell, onCase };

  useEffect(() => {
    const container = box.current;
    if (container === null) return;
    let map: maplibregl.Map;
    try {
      map = createMap(container, scheme);
    } catch {
      setFailed(true);
      return;
    }
    view.current = map;
    map.addControl(new maplibregl.NavigationControl({ showCompass: false }), 'top-right');
    map.addControl(new maplibregl.ScaleControl({ maxWidth: 90 }), 'bottom-left');
    const bounds = boundsOf(cells);
    if (bounds) map.fitBounds(bounds, { padding: FIT_PADDING_PX, duration: 0 });
    map.on('load', () => {
      addLayers(map, cells, scheme);
      map.on('click', (e) => {
        const [point] = map.queryRenderedFeatures(e.point, { layers: ['cases'] });
        if (point) acts.current.onCase(String(point.properties.id));
        else acts.current.onCell(map.queryRenderedFeatures(e.point, { layers: ['fill'] })[0]?.properties.code ?? null);
      });
      map.on('mousemove', (e) => {
        if (map.isMoving()) return;
        const over = map.queryRenderedFeatures(e.point, { layers: ['cases', 'fill'] }).length > 0;
        map.getCanvas().style.cursor = over ? 'pointer' : '';
      });
      painted.current = NO_SHADES;
      setReady(map);
      map.once('idle', () => setDrawn(true));
    });
    return () => {
      setReady(null);
      setDrawn(false);
      view.current = null;
      map.remove();
    };
  }, [cells, scheme]);

  // In the moment of another scheme the map that was ready has been removed already.
  useEffect(() => {
    if (ready === null || ready !== view.current) return;
    paint(ready, shades, painted.current, scheme);
    painted.current = shades;
  }, [ready, shades, scheme]);
  useEffect(() => {
    if (ready === null || ready !== view.current) return;
    void (ready.getSource('cases') as maplibregl.GeoJSONSource | undefined)?.setData(pointsOf(cases));
  }, [ready, cases]);
  useEffect(() => {
    if (ready === null || ready !== view.current) return;
    ready.setFilter('chosen', ['==', ['get', 'code'], chosen ?? '']);
    ready.setLayoutProperty('chosen', 'visibility', chosen === null ? 'none' : 'visible');
  }, [ready, chosen]);

  const { base, failed: baseFailed } = useBase(ready);
  const overBase = base !== null;
  useEffect(() => {
    if (ready === null || ready !== view.current) return;
    ready.setPaintProperty('fill', 'fill-color', fillColour(overBase ? CLEAR : SHADES[scheme].none));
    ready.setPaintProperty('fill', 'fill-opacity', overBase ? OPACITY.overBase : OPACITY.alone);
  }, [ready, overBase, scheme]);

  if (failed) return <p className="map-failed">{t('situation.mapFailed')}</p>;
  const fit = () => {
    const bounds = boundsOf(cells);
    if (bounds) view.current?.fitBounds(bounds, { padding: FIT_PADDING_PX });
  };
  return (
    <>
      <section ref={box} className="city-map" data-drawn={drawn} aria-label={t('situation.map')} />
      <BaseChoice failed={baseFailed} />
      <button type="button" className="map-fit" onClick={fit}>
        {t('situation.fit')}
      </button>
    </>
  );
}

function addLayers(map: maplibregl.Map, cells: Cells, scheme: Scheme): void {
  // In one source: tiles are cut out anew for each.
  const borders = { type: 'Feature' as const, properties: {}, geometry: bordersOf(cells) };
  const data = { type: 'FeatureCollection' as const, features: [...cells.features, borders] };
  map.addSource('cells', { type: 'geojson', data, promoteId: 'code', buffer: BUFFER_PX });

  map.addLayer({
    id: 'fill',
    type: 'fill',
    source: 'cells',
    filter: isOf('Polygon'),
    // The lines over it are smooth; its own edges cost as much as all the rest.
    paint: { 'fill-color': fillColour(SHADES[scheme].none), 'fill-opacity': OPACITY.alone, 'fill-antialias': false },
  });
  map.addImage('hatch', hatch(scheme));
  const hatched = { id: 'hatch', type: 'fill', source: 'cells', filter: codesAre([]) } as const;
  map.addLayer({ ...hatched, layout: HIDDEN, paint: { 'fill-pattern': 'hatch', 'fill-antialias': false } });
  map.addLayer({
    id: 'line',
    type: 'line',
    source: 'cells',
    filter: isOf('LineString'),
    paint: { 'line-color': LINE[scheme], 'line-width': 1 },
  });
  map.addLayer({
    id: 'chosen',
    type: 'line',
    source: 'cells',
    filter: ['==', ['get', 'code'], ''],
    layout: HIDDEN,
    paint: { 'line-color': scheme === 'dark' ? '#5eead4' : '#0f766e', 'line-width': 3.5 },
  });
  map.addSource('cases', { type: 'geojson', data: pointsOf([]) });
  map.addLayer({
    id: 'cases',
    type: 'circle',
    source: 'cases',
    paint: {
      // Size tells the severity where colour cannot.
      'circle-radius': ['match', ['get', 'rank'], 0, 8, 1, 6.5, 2, 5, 4],
      'circle-color': [
        'match',
        ['get', 'rank'],
        0,
        POINT_COLOURS[0],
        1,
        POINT_COLOURS[1],
        2,
        POINT_COLOURS[2],
        POINT_COLOURS[3],
      ] as never,
      'circle-stroke-color': '#fff',
      'circle-stroke-width': 1.5,
    },
  });
}

/** Only what differs is drawn anew: the state of a cell is no part of its geometry. */
function paint(
  map: maplibregl.Map,
  shades: ReadonlyMap<string, Shade>,
  before: ReadonlyMap<string, Shade>,
  scheme: Scheme,
): void {
  for (const code of new Set([...before.keys(), ...shades.keys()])) {
    const shade = shades.get(code) ?? 'none';
    if (shade === before.get(code)) continue;
    map.setFeatureState({ source: 'cells', id: code }, { colour: shade === 'none' ? null : SHADES[scheme][shade] });
  }
  const hatched = (of: typeof shades) => [...of].flatMap(([code, shade]) => (HATCHED.includes(shade) ? [code] : []));
  const codes = hatched(shades);
  if (codes.join() === hatched(before).join()) return;
  map.setFilter('hatch', codesAre(codes));
  map.setLayoutProperty('hatch', 'visibility', codes.length === 0 ? 'none' : 'visible');
}

const fillColour = (none: string) => ['coalesce', ['feature-state', 'colour'], none] as maplibregl.ExpressionSpecification;
const isOf = (type: 'Polygon' | 'LineString') => ['==', ['geometry-type'], type] as maplibregl.FilterSpecification;
const codesAre = (codes: readonly string[]) => ['in', ['get', 'code'], ['literal', [...codes]]] as maplibregl.FilterSpecification;

function pointsOf(cases: readonly UrgentCase[]) {
  return {
    type: 'FeatureCollection' as const,
    // The most urgent last: it lies on top.
    features: cases.toReversed().map(({ id, severity, place }) => ({
      type: 'Feature' as const,
      properties: { id, rank: SEVERITIES.indexOf(severity) },
      geometry: { type: 'Point' as const, coordinates: [place.lon, place.lat] },
    })),
  };
}
