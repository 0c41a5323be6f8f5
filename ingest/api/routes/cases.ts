import { Type } from 'typebox';
import { CASE_SOURCES, Case, CaseStateSchema, Id, Severity } from '#grid/mod.ts';
import { evidenceOfCase } from '../../evidence/mod.ts';
import { VIEWERS } from '../auth/mod.ts';
import {
  answers,
  CaseEvidenceAnswer,
  CaseRelativesAnswer,
  CellCode,
  ClassPrefix,
  Cursor,
  IdParams,
  Limit,
  pageOf,
  strict,
  Time,
  TimelineAnswer,
} from '../schemas.ts';
import type { Route } from './mod.ts';

const Query = Type.Object(
  {
    state: Type.Optional(CaseStateSchema),
    open: Type.Optional(Type.Boolean({ description: 'the city still works on it' })),
    severity: Type.Optional(Severity),
    class: Type.Optional(ClassPrefix),
    cell: Type.Optional(CellCode),
    edge: Type.Optional(Id('of the event that opened it')),
    source: Type.Optional(Type.Enum(CASE_SOURCES)),
    since: Type.Optional(Time),
    limit: Limit,
    cursor: Cursor,
  },
  strict,
);

/** Reading cases; what people do with them is in transitions.ts. */
export const cases: Route = (app, { cases: service, database, edgeKeys: keys }) => {
  const tags = ['cases'];
  const config = { access: VIEWERS };
  app.get(
    '/api/v1/cases',
    { config, schema: { tags, summary: 'Cases, newest first', querystring: Query, response: answers(pageOf(Case)) } },
    (request) => service.list(request.query),
  );
  app.get(
    '/api/v1/cases/:id',
    { config, schema: { tags, summary: 'One case', params: IdParams, response: answers(Case) } },
    (request) => service.get(request.params.id),
  );
  app.get(
    '/api/v1/cases/:id/timeline',
    {
      config,
      schema: { tags, summary: 'Its history, oldest first, hash-chained', params: IdParams, response: answers(TimelineAnswer) },
    },
    async (request) => ({ items: await service.timeline(request.params.id) }),
  );
  app.get(
    '/api/v1/cases/:id/relatives',
    {
      config,
      schema: {
        tags,
        summary: 'Cases to compare it with: duplicates, the same thing before and after, open ones near by',
        params: IdParams,
        response: answers(CaseRelativesAnswer),
      },
    },
    async (request) => ({ items: await service.relatives(request.params.id) }),
  );
  app.get(
    '/api/v1/cases/:id/evidence',
    {
      config,
      schema: {
        tags,
        summary: 'Its files: what kind, masked or not, whether they have arrived, who signed for them',
        params: IdParams,
        response: answers(CaseEvidenceAnswer),
      },
    },
    async (request) => ({ items: await evidenceOfCase({ database, keys }, request.params.id) }),
  );
};
