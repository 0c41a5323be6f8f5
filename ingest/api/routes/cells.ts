import { Type } from 'typebox';
import { cellsToGeoJson, Id } from '#grid/mod.ts';
import { VIEWERS } from '../auth/mod.ts';
import { CellCode, ErrorAnswer, strict } from '../schemas.ts';
import type { Route } from './mod.ts';

const Feature = Type.Object(
  {
    type: Type.Literal('Feature'),
    id: CellCode,
    properties: Type.Object({ code: CellCode, areaM2: Type.Integer(), edges: Type.Array(Id()) }, strict),
    geometry: Type.Object(
      {
        type: Type.Literal('Polygon'),
        coordinates: Type.Array(Type.Array(Type.Array(Type.Number(), { minItems: 2, maxItems: 2 }))),
      },
      strict,
    ),
  },
  strict,
);
const Collection = Type.Object({ type: Type.Literal('FeatureCollection'), features: Type.Array(Feature) }, strict);

/** Unit grids (万米单元网格), WGS-84. */
export const cells: Route = (app, { registry }) => {
  app.get(
    '/api/v1/cells',
    {
      config: { access: VIEWERS },
      schema: {
        tags: ['cells'],
        summary: 'Unit grids as GeoJSON',
        querystring: Type.Object({ edge: Type.Optional(Id()) }, strict),
        response: {
          200: { content: { 'application/geo+json': { schema: Collection } } },
          '4xx': ErrorAnswer,
          '5xx': ErrorAnswer,
        },
      },
    },
    async (request, reply) => {
      const { edge } = request.query;
      const wanted = [...registry.cells.values()].filter((c) => edge === undefined || c.edges.includes(edge));
      const { type, features } = cellsToGeoJson(wanted.map((c) => c.cell));
      const told = features.map((f, i) => ({ ...f, properties: { ...f.properties, edges: [...(wanted[i]?.edges ?? [])] } }));
      return reply.type('application/geo+json').send(JSON.stringify({ type, features: told }) as never);
    },
  );
};
