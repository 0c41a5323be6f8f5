import { type Static, Type } from 'typebox';
import { Id } from '../ids.ts';
import { listOf } from './parts.ts';

const strict = { additionalProperties: false } as const;
const Zoom = Type.Integer({ minimum: 0, maximum: 22 });

/** What a tile's place is meant in. Everything else of ours is WGS-84. */
export const Coordinates = Type.Union([Type.Literal('wgs84'), Type.Literal('gcj02')]);

const Common = { id: Id(), name: Type.String(), attribution: Type.String() };
const BaseMap = Type.Union([
  Type.Object({ kind: Type.Literal('pmtiles'), ...Common, url: Type.String({ description: 'takes ranges of bytes' }) }, strict),
  Type.Object(
    {
      kind: Type.Literal('tiles'),
      ...Common,
      url: Type.String({ description: 'with {z}, {x}, {y}, of another host' }),
      coordinates: Coordinates,
      zoomMin: Zoom,
      zoomMax: Zoom,
      sizePx: Type.Integer(),
    },
    strict,
  ),
]);
export type BaseMap = Static<typeof BaseMap>;

/** What may lie under the unit grids, by the centre's configuration. */
export const BaseMapsAnswer = listOf(BaseMap);
export type BaseMapsAnswer = Static<typeof BaseMapsAnswer>;
