import { cellsToGeoJson, createCellIndex, type Position } from '#grid/mod.ts';
import { toEnu, toWgs84 } from '../cameras/mod.ts';
import { cityFrame } from './frame.ts';
import { furnitureOf } from './furniture.ts';
import { Registrar } from './registrar.ts';
import { endsOf, layRoads } from './roads.ts';
import type { City, CityCamera } from './types.ts';
import { streetView } from './view.ts';
import { groundOf } from './zones.ts';

/** A file of the city: its name, and its text. */
export interface CityFile {
  name: string;
  text: string;
}

/** The city for maps and tables: GeoJSON (WGS-84) and CSV, the same bytes for the same city. */
export function cityFiles(city: City): CityFile[] {
  return [
    { name: 'cells.geojson', text: cellsFile(city) },
    { name: 'roads.geojson', text: roadsFile(city) },
    { name: 'cameras.geojson', text: camerasFile(city) },
    { name: 'communities.csv', text: communitiesFile(city) },
    { name: 'groups.csv', text: groupsFile(city) },
    { name: 'devices.csv', text: devicesFile(city) },
    { name: 'components.csv', text: componentsFile(city) },
  ];
}

const point = ({ lon, lat }: Position) => [lon, lat];

function cellsFile(city: City): string {
  const { type, features } = cellsToGeoJson(city.cells);
  const edgeOf = new Map(city.edges.flatMap((e) => e.cells.map(({ code }): [string, string] => [code, e.id])));
  const told = features.map((f) => {
    const { id } = f;
    const properties = { ...f.properties, street: id.slice(0, 9), community: id.slice(0, 12), edge: edgeOf.get(id) };
    return { ...f, properties };
  });
  return collection(told, type);
}

function roadsFile({ ground }: City): string {
  const frame = cityFrame({ lon: ground.originLon, lat: ground.originLat }, ground.turnDeg);
  return collection(
    layRoads(ground.layout).map((road) => ({
      type: 'Feature',
      id: road.id,
      properties: { runs: road.runs },
      geometry: { type: 'LineString', coordinates: endsOf(frame, ground.layout, road).map(point) },
    })),
  );
}

/** Each camera twice: where it hangs with its pose, and the ground that it watches. */
function camerasFile(city: City): string {
  const cameras = city.edges.flatMap((e) => e.cameras);
  return collection(
    cameras.flatMap((camera) => {
      const { id, edgeId: edge, component, pose } = camera;
      const { lon, lat, ...how } = pose;
      return [
        {
          type: 'Feature',
          id,
          properties: { edge, component, ...how },
          geometry: { type: 'Point', coordinates: [lon, lat] },
        },
        {
          type: 'Feature',
          id: `${id}-view`,
          properties: { camera: id },
          geometry: { type: 'Polygon', coordinates: [viewOf(camera)] },
        },
      ];
    }),
  );
}

/** The watched ground of a camera, a closed ring. */
function viewOf({ street, pose }: CityCamera): number[][] {
  const view = streetView(street, pose);
  const ring = groundOf(view).flatMap(([x, y]) => {
    const place = view.placeAt(x * view.widthPx, y * view.heightPx);
    if (place === null) return [];
    const { xM, yM } = toEnu(street, place);
    return [toWgs84(xM, yM, street.originLon, street.originLat).map((degrees) => Number(degrees.toFixed(7)))];
  });
  return [...ring, ring[0] as number[]];
}

function communitiesFile(city: City): string {
  const rows = city.edges.flatMap((e) => e.communities.map(({ code, cells }) => [code, code.slice(0, 9), e.id, cells.length]));
  return csv(['community', 'street', 'edge', 'cells'], rows);
}

function groupsFile(city: City): string {
  const rows = city.edges.flatMap((e) =>
    e.groups.map(({ id, kind, component, position }) => {
      const members = e.devices.filter((d) => [d.circuit, d.pressureZone, d.drainageBasin].includes(id)).length;
      return [id, kind, component, position?.lon ?? '', position?.lat ?? '', e.id, members];
    }),
  );
  return csv(['group', 'kind', 'component', 'lon', 'lat', 'edge', 'members'], rows);
}

function devicesFile(city: City): string {
  const index = createCellIndex(city.cells);
  const rows = city.edges.flatMap((e) =>
    e.devices.map((d) => {
      const { circuit = '', pressureZone = '', drainageBasin = '' } = d;
      return [d.id, d.kind, d.component, d.lon, d.lat, index.cellAt(d) ?? '', e.id, circuit, pressureZone, drainageBasin];
    }),
  );
  return csv(['device', 'kind', 'component', 'lon', 'lat', 'cell', 'edge', 'circuit', 'pressure_zone', 'basin'], rows);
}

function componentsFile(city: City): string {
  const index = createCellIndex(city.cells);
  const row = ({ code, lon, lat }: Position & { code: string }, road: string) => {
    return [code, code.slice(6, 10), lon, lat, index.cellAt({ lon, lat }) ?? '', road];
  };
  const rows = city.components.map((c) => row(c, ''));
  for (const { road, ...c } of furnitureOf(city, new Registrar(city.division, city.components))) rows.push(row(c, road));
  return csv(['component', 'class', 'lon', 'lat', 'cell', 'road'], rows);
}

/** One feature a line, so that two cities can be compared by lines. */
function collection(features: readonly object[], type = 'FeatureCollection'): string {
  return `{"type":"${type}","features":[\n${features.map((f) => JSON.stringify(f)).join(',\n')}\n]}\n`;
}

/** Ids, codes and numbers: nothing here ever needs quotes. */
function csv(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return `${[head, ...rows].map((r) => r.join(',')).join('\n')}\n`;
}
