import type { ExpressionSpecification, LayerSpecification } from 'maplibre-gl';
import type { Scheme } from '../../app/theme.tsx';

const COLOURS = {
  light: {
    green: '#dfeadc',
    water: '#b9d7e8',
    building: '#dcdfe0',
    road: '#ffffff',
    edge: '#c3ccd0',
    border: '#a58fae',
    text: '#46565e',
  },
  dark: {
    green: '#16261f',
    water: '#12303f',
    building: '#222d31',
    road: '#33434a',
    edge: '#0d1417',
    border: '#6d5a76',
    text: '#a9bac2',
  },
} as const;
/** What one thing is called by Protomaps, and by OpenMapTiles: an archive has either, and layers without their source draw nothing. */
const NAMES = {
  green: ['landuse', 'landcover', 'park'],
  water: ['water'],
  stream: ['waterway'],
  building: ['buildings', 'building'],
  road: ['roads', 'transportation'],
  border: ['boundaries', 'boundary'],
  place: ['places', 'place'],
  roadName: ['roads', 'transportation_name'],
} as const;
type What = keyof typeof NAMES;

const GREENS = ['park', 'forest', 'wood', 'grass', 'grassland', 'garden', 'cemetery', 'nature_reserve', 'farmland', 'scrub'];
const kindOf = ['coalesce', ['get', 'kind'], ['get', 'class'], ''] as ExpressionSpecification;
const nameOf = ['coalesce', ['get', 'name:zh'], ['get', 'name:zh-Hans'], ['get', 'name'], ''] as ExpressionSpecification;
const MAIN = ['highway', 'major_road', 'motorway', 'trunk', 'primary', 'secondary'];
const widthOf = (main: number, other: number, more: number) =>
  [
    'interpolate',
    ['exponential', 1.6],
    ['zoom'],
    ...[8, ['case', ['in', kindOf, ['literal', MAIN]], 0.6, 0]],
    ...[13, ['case', ['in', kindOf, ['literal', MAIN]], main, other]],
    ...[19, ['case', ['in', kindOf, ['literal', MAIN]], 28 + more, 14 + more]],
  ] as ExpressionSpecification;
/** Text is drawn from the fonts of the machine: no glyphs are asked for anywhere. */
const FONT = ['sans-serif'];

/** Streets, water, green, houses and names, pale, so that what is ours stands out. */
export function vectorLayers(source: string, scheme: Scheme): LayerSpecification[] {
  const c = COLOURS[scheme];
  const of = (what: What, layer: object): LayerSpecification[] =>
    NAMES[what].map(
      (name) => ({ id: `${source}-${what}-${name}`, source, 'source-layer': name, ...layer }) as LayerSpecification,
    );
  const line = (what: What, paint: object, more: object = {}) => of(what, { type: 'line', paint, ...more });
  const round = { layout: { 'line-cap': 'round', 'line-join': 'round' } };
  const text = (size: number) => ({ 'text-field': nameOf, 'text-font': FONT, 'text-size': size });
  const ink = { 'text-color': c.text, 'text-halo-color': c.road, 'text-halo-width': scheme === 'dark' ? 0 : 1.2 };
  return [
    ...of('green', { type: 'fill', filter: ['in', kindOf, ['literal', GREENS]], paint: { 'fill-color': c.green } }),
    ...of('water', { type: 'fill', filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': c.water } }),
    ...line('stream', { 'line-color': c.water, 'line-width': 1.5 }),
    ...of('building', { type: 'fill', minzoom: 14, paint: { 'fill-color': c.building } }),
    ...line('road', { 'line-color': c.edge, 'line-width': widthOf(3.4, 1.6, 2) }, { ...round, minzoom: 11 }).map((l) => ({
      ...l,
      id: `${l.id}-edge`,
    })),
    ...line('road', { 'line-color': c.road, 'line-width': widthOf(2.4, 0.8, 0) }, round),
    ...line('border', { 'line-color': c.border, 'line-width': 1, 'line-dasharray': [4, 3] }),
    ...of('roadName', { type: 'symbol', minzoom: 14, layout: { ...text(11), 'symbol-placement': 'line' }, paint: ink }),
    ...of('place', { type: 'symbol', layout: text(12.5), paint: ink }),
  ];
}
