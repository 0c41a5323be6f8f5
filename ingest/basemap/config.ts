import { type Static, Type } from 'typebox';
import { Coordinates } from '#grid/api/mod.ts';
import { Id } from '#grid/mod.ts';
import type { ConfigMistake } from '#service/mod.ts';

const strict = { additionalProperties: false } as const;
const Zoom = (options: { default: number }) => Type.Integer({ minimum: 0, maximum: 22, ...options });
/** What people choose it by. */
const Name = Type.String({ minLength: 1, maxLength: 40 });
/** Shown on the map, as plain text. */
const Attribution = Type.String({ maxLength: 200, default: '' });

const Archive = Type.Object(
  {
    /** A PMTiles file (version 3) of vector tiles or pictures, WGS-84. */
    file: Type.String({ minLength: 1, maxLength: 4096 }),
    name: Name,
    attribution: Attribution,
  },
  strict,
);

const TileSource = Type.Object(
  {
    id: Id(),
    name: Name,
    /** With {z}, {x} and {y}. Its host goes into the policy of the console's pages, so it holds nothing but a name. */
    url: Type.String({ pattern: '^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[!#-&(-~]*$', maxLength: 1024 }),
    coordinates: Coordinates,
    attribution: Attribution,
    zoomMin: Zoom({ default: 3 }),
    zoomMax: Zoom({ default: 18 }),
    /** Of a tile's side on the screen. */
    sizePx: Type.Union([Type.Literal(256), Type.Literal(512)], { default: 256 }),
  },
  strict,
);

/** What lies under the unit grids. Without it nothing does, and the console needs no other host. */
export const BaseMapConfig = Type.Object(
  {
    pmtiles: Type.Optional(Archive),
    tiles: Type.Array(TileSource, { maxItems: 8, default: [] }),
  },
  { ...strict, default: {} },
);
export type BaseMapConfig = Static<typeof BaseMapConfig>;

/** The id of the file on the centre's disk among the base maps. */
export const PMTILES_ID = 'pmtiles';
const PLACES = ['{z}', '{x}', '{y}'];

/** What the schema cannot say. `https`: whether the console itself comes by it. */
export function baseMapMistakes({ tiles }: BaseMapConfig, https: boolean): ConfigMistake[] {
  return tiles.flatMap(({ id, url, zoomMin, zoomMax }, i) => {
    const key = `map.tiles.${i}`;
    const mistakes: ConfigMistake[] = [];
    if (id === PMTILES_ID || tiles.findIndex((t) => t.id === id) !== i)
      mistakes.push({ key: `${key}.id`, value: id, message: 'is the id of another base map' });
    if (!URL.canParse(url)) mistakes.push({ key: `${key}.url`, value: url, message: 'is no address' });
    const missing = PLACES.filter((place) => !url.includes(place));
    if (missing.length > 0) mistakes.push({ key: `${key}.url`, value: url, message: `must hold ${missing.join(', ')}` });
    if (https && url.startsWith('http:'))
      mistakes.push({
        key: `${key}.url`,
        value: url,
        message: 'must be https, as the console is: a browser refuses it otherwise',
      });
    if (zoomMin > zoomMax) mistakes.push({ key: `${key}.zoomMin`, value: zoomMin, message: 'is above zoomMax' });
    return mistakes;
  });
}

/** What the policy of the console's pages has to allow. */
export function tileOrigins({ tiles }: BaseMapConfig): string[] {
  return [...new Set(tiles.map(({ url }) => new URL(url).origin))];
}
