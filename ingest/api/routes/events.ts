import { Type } from 'typebox';
import { Id } from '#grid/mod.ts';
import { VIEWERS } from '../auth/mod.ts';
import { answers, CellCode, ClassPrefix, Cursor, EventAnswer, IdParams, Limit, pageOf, strict, Time } from '../schemas.ts';
import type { Route } from './mod.ts';

const Query = Type.Object(
  {
    class: Type.Optional(ClassPrefix),
    cell: Type.Optional(CellCode),
    edge: Type.Optional(Id()),
    by: Type.Optional(Type.Union([Type.Literal('sensor'), Type.Literal('camera')])),
    source: Type.Optional(Id('device or camera')),
    active: Type.Optional(Type.Boolean({ description: 'not cleared yet' })),
    since: Type.Optional(Time),
    limit: Limit,
    cursor: Cursor,
  },
  strict,
);

export const events: Route = (app, { cases }) => {
  const tags = ['events'];
  const config = { access: VIEWERS };
  app.get(
    '/api/v1/events',
    { config, schema: { tags, summary: 'Events, newest first', querystring: Query, response: answers(pageOf(EventAnswer)) } },
    (request) => cases.listEvents(request.query),
  );
  app.get(
    '/api/v1/events/:id',
    { config, schema: { tags, summary: 'One event, by its subject', params: IdParams, response: answers(EventAnswer) } },
    (request) => cases.getEvent(request.params.id),
  );
};
