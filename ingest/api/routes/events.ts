import { Type } from 'typebox';
import { EventHoursAnswer } from '#grid/api/mod.ts';
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
    judged: Type.Optional(Type.Boolean({ description: 'somebody has said what it is' })),
    since: Type.Optional(Time),
    limit: Limit,
    cursor: Cursor,
  },
  strict,
);

const DAYS_MAX = 35;
const DAY_MS = 86_400_000;
const HoursQuery = Type.Object(
  {
    ...Type.Pick(Query, ['class', 'by']).properties,
    days: Type.Integer({ minimum: 1, maximum: DAYS_MAX, default: 28, description: 'that end now' }),
  },
  strict,
);

export const events: Route = (app, { cases, verdicts, clock }) => {
  const tags = ['events'];
  const config = { access: VIEWERS };
  app.get(
    '/api/v1/events',
    { config, schema: { tags, summary: 'Events, newest first', querystring: Query, response: answers(pageOf(EventAnswer)) } },
    async (request) => {
      const { items, cursor } = await cases.listEvents(request.query);
      const said = await verdicts.of(items.map(({ record }) => record.subject));
      return { items: items.map((e) => ({ ...e, verdict: said.get(e.record.subject) ?? null })), cursor };
    },
  );
  app.get(
    '/api/v1/event-hours',
    {
      config,
      schema: { tags, summary: 'How many events each hour', querystring: HoursQuery, response: answers(EventHoursAnswer) },
    },
    async ({ query: { days, ...of } }) => {
      return cases.eventsByHour({ since: clock.now() - days * DAY_MS, ...of });
    },
  );
  app.get(
    '/api/v1/events/:id',
    { config, schema: { tags, summary: 'One event, by its subject', params: IdParams, response: answers(EventAnswer) } },
    async (request) => {
      const { id } = request.params;
      return { ...(await cases.getEvent(id)), verdict: (await verdicts.of([id])).get(id) ?? null };
    },
  );
};
