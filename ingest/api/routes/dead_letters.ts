import { Type } from 'typebox';
import { Id } from '#grid/mod.ts';
import { OPS } from '../auth/mod.ts';
import { answers, Cursor, DeadLetterAnswer, IdParams, Limit, listOf, pageOf, strict, Time, Word } from '../schemas.ts';
import type { Route } from './mod.ts';

const Query = Type.Object(
  {
    edge: Type.Optional(Id()),
    hop: Type.Optional(Word),
    code: Type.Optional(Word),
    source: Type.Optional(Type.String({ maxLength: 64, description: 'client or device' })),
    since: Type.Optional(Time),
    limit: Limit,
    cursor: Cursor,
  },
  strict,
);
const CountQuery = Type.Object({ edge: Type.Optional(Id()), since: Type.Optional(Time) }, strict);
const Count = Type.Object({ edge: Type.String(), hop: Type.String(), code: Type.String(), count: Type.Integer() }, strict);

/** What could not be used, at every hop, with the reason. */
export const deadLetters: Route = (app, { deadLetters: store }) => {
  const tags = ['dead letters'];
  const config = { access: OPS };
  app.get(
    '/api/v1/dead-letters',
    {
      config,
      schema: { tags, summary: 'Dead letters, newest first', querystring: Query, response: answers(pageOf(DeadLetterAnswer)) },
    },
    (request) => store.list(request.query),
  );
  app.get(
    '/api/v1/dead-letters/counts',
    {
      config,
      schema: {
        tags,
        summary: 'How many are stored, by edge, hop and code',
        querystring: CountQuery,
        response: answers(listOf(Count)),
      },
    },
    async (request) => ({ items: await store.counts(request.query) }),
  );
  app.get(
    '/api/v1/dead-letters/:id',
    { config, schema: { tags, summary: 'One dead letter', params: IdParams, response: answers(DeadLetterAnswer) } },
    (request) => store.get(request.params.id),
  );
};
