import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { SituationAnswer } from '#grid/api/mod.ts';
import type { Case } from '#grid/mod.ts';
import { type Scheme, useScheme } from '../../app/theme.tsx';
import { boundsOf, type Cells, createMap, LINE, maplibregl } from './style.ts';

export type ColourBy = 'cases' | 'health';

/** Worst first. A cell has the colour of the worst that is in it, and a sign of its own where colour alone would say it. */
const CASE_COLOURS: Record<Scheme, [critical: string, high: string, normal: string, low: string, none: string]> = {
  light: ['#d92d20', '#f38744', '#5b9cf5', '#a9b8c0', '#ffffff'],
  dark: ['#e5483c', '#c2601f', '#2f63b8', '#4b5c64', '#18242a'],
};
const HEALTH_COLOURS: Record<Scheme, [offline: string, degraded: string, online: string, unknown: string, none: string]> = {
  light: ['#e5675d', '#f5a35c', '#7fd0a4', '#c9d3d8', '#ffffff'],
  dark: ['#b8362c', '#a85a17', '#1f7a4d', '#3d4c53', '#18242a'],
};
const FIT_PADDING_PX = 24;
const POINT_COLOURS = ['#b42318', '#dc6803', '#1570ef', '#667085'];
const SEVERITIES = ['critical', 'high', 'normal', 'low'];

/** The unit grids of the city and what is open in them. */
export default function CityMap({
  cells,
  situation,
  by,
  chosen,
  onCell,
  onCase,
}: {
  cells: Cells;
  situation: SituationAnswer;
  by: ColourBy;
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
        const over = map.queryRenderedFeatures(e.point, { layers: ['cases', 'fill'] }).length > 0;
        map.getCanvas().style.cursor = over ? 'pointer' : '';
      });
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
    paint(ready, cells, situation, by, scheme);
  }, [ready, cells, situation, by, scheme]);
  useEffect(() => {
    if (ready === null || ready !== view.current) return;
    ready.setFilter('chosen', ['==', ['get', 'code'], chosen ?? '']);
  }, [ready, chosen]);

  if (failed) return <p className="map-failed">{t('situation.mapFailed')}</p>;
  const fit = () => {
    const bounds = boundsOf(cells);
    if (bounds) view.current?.fitBounds(bounds, { padding: FIT_PADDING_PX });
  };
  return (
    <>
      <section ref={box} className="city-map" data-drawn={drawn} aria-label={t('situation.map')} />
      <button type="button" className="map-fit" onClick={fit}>
        {t('situation.fit')}
      </button>
    </>
  );
}

function addLayers(map: maplibregl.Map, cells: Cells, scheme: Scheme): void {
  map.addSource('cells', { type: 'geojson', data: cells, promoteId: 'code' });
  map.addLayer({
    id: 'fill',
    type: 'fill',
    source: 'cells',
    paint: { 'fill-color': ['coalesce', ['feature-state', 'colour'], CASE_COLOURS[scheme][4]], 'fill-opacity': 0.85 },
  });
  map.addLayer({ id: 'line', type: 'line', source: 'cells', paint: { 'line-color': LINE[scheme], 'line-width': 1 } });
  map.addLayer({
    id: 'chosen',
    type: 'line',
    source: 'cells',
    filter: ['==', ['get', 'code'], ''],
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
function paint(map: maplibregl.Map, cells: Cells, situation: SituationAnswer, by: ColourBy, scheme: Scheme): void {
  const known = new Map(situation.cells.map((cell) => [cell.code, cell]));
  const none = (by === 'cases' ? CASE_COLOURS : HEALTH_COLOURS)[scheme][4];
  for (const { properties } of cells.features) {
    const cell = known.get(properties.code);
    const colour = cell === undefined ? none : by === 'cases' ? caseColour(cell, scheme) : healthColour(cell, scheme);
    map.setFeatureState({ source: 'cells', id: properties.code }, { colour });
  }
  void (map.getSource('cases') as maplibregl.GeoJSONSource | undefined)?.setData(pointsOf(situation.urgent));
}

type Cell = SituationAnswer['cells'][number];

function caseColour({ openCases: c }: Cell, scheme: Scheme): string {
  const [critical, high, normal, low, none] = CASE_COLOURS[scheme];
  return c.critical > 0 ? critical : c.high > 0 ? high : c.normal > 0 ? normal : c.low > 0 ? low : none;
}

function healthColour({ devices: d }: Cell, scheme: Scheme): string {
  const [offline, degraded, online, unknown, none] = HEALTH_COLOURS[scheme];
  return d.offline > 0 ? offline : d.degraded > 0 ? degraded : d.online > 0 ? online : d.unknown > 0 ? unknown : none;
}

function pointsOf(cases: readonly Case[]) {
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
