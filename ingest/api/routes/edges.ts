import { VIEWERS } from '../auth/mod.ts';
import { answers, EdgeAnswer, HistoryAnswer, HistoryQuery, IdParams, listOf } from '../schemas.ts';
import type { Route } from './mod.ts';
import { withUpkeep } from './things.ts';

export const edges: Route = (app, { devices, upkeep }) => {
  const tags = ['devices'];
  const config = { access: VIEWERS };
  app.get(
    '/api/v1/edges',
    { config, schema: { tags, summary: 'All edge nodes, and how each is', response: answers(listOf(EdgeAnswer)) } },
    async () => ({ items: await withUpkeep('edge', await devices.edges(), upkeep) }),
  );
  app.get(
    '/api/v1/edges/:id',
    { config, schema: { tags, summary: 'One edge node', params: IdParams, response: answers(EdgeAnswer) } },
    async (request) => (await withUpkeep('edge', [await devices.edge(request.params.id)], upkeep))[0] as EdgeAnswer,
  );
  app.get(
    '/api/v1/edges/:id/history',
    {
      config,
      schema: {
        tags,
        summary: 'Changes of its state, newest first',
        params: IdParams,
        querystring: HistoryQuery,
        response: answers(HistoryAnswer),
      },
    },
    async (request) => ({ items: await devices.history('edge', request.params.id, request.query) }),
  );
};
