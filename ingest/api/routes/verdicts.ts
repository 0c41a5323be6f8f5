import { Type } from 'typebox';
import { PrecisionAnswer, Verdict, VerdictAnswer, VerdictInput } from '#grid/api/mod.ts';
import { type Access, accountOf, VIEWERS } from '../auth/mod.ts';
import { answers, Cursor, IdParams, Limit, pageOf, strict, Time } from '../schemas.ts';
import type { Route } from './mod.ts';

const DAY_MS = 86_400_000;
const PRECISION_DAYS = 30;
const JUDGES: Access = { technical: 'ops', roles: ['supervision', 'supervisor'] };

/** Verdicts of people on events: accepted, or rejected with a reason. */
export const verdicts: Route = (app, { verdicts: store, cases, clock }) => {
  const tags = ['verdicts'];
  app.put(
    '/api/v1/events/:id/verdict',
    {
      config: { access: JUDGES },
      schema: {
        tags,
        summary: 'Says whether an event is so; the newest word counts',
        params: IdParams,
        body: VerdictInput,
        response: answers(Verdict),
      },
    },
    async (request) => {
      const said = await store.put(request.params.id, accountOf(request).id, request.body);
      await cases.judged(request.params.id);
      return said;
    },
  );
  app.delete(
    '/api/v1/events/:id/verdict',
    {
      config: { access: JUDGES },
      schema: { tags, summary: 'Takes a verdict back', params: IdParams, response: answers(Type.Null(), 204) },
    },
    async (request, reply) => {
      await store.remove(request.params.id);
      return reply.code(204).send(null as never);
    },
  );
  app.get(
    '/api/v1/verdicts',
    {
      config: { access: VIEWERS },
      schema: {
        tags,
        summary: 'Verdicts with what the model had said, newest first',
        querystring: Type.Object({ since: Type.Optional(Time), limit: Limit, cursor: Cursor }, strict),
        response: answers(pageOf(VerdictAnswer)),
      },
    },
    (request) => store.list(request.query),
  );
  app.get(
    '/api/v1/verdicts/precision',
    {
      config: { access: VIEWERS },
      schema: {
        tags,
        summary: 'Precision by source, zone and class, with a suggestion for the threshold',
        description: 'Of the last 30 days unless `since` says otherwise.',
        querystring: Type.Object({ since: Type.Optional(Time) }, strict),
        response: answers(PrecisionAnswer),
      },
    },
    async (request) => {
      const since = request.query.since ?? Math.max(0, clock.now() - PRECISION_DAYS * DAY_MS);
      return { since, items: await store.precision(since) };
    },
  );
};
