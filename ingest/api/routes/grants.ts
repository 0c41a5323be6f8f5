import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { GRANT_KINDS, GrantKindSchema, Id, NewGrant } from '#grid/mod.ts';
import { GewuError } from '#service/mod.ts';
import { type Access, accountOf } from '../auth/mod.ts';
import { answers, CaseGrantsAnswer, Cursor, GrantAnswer, IdParams, Limit, pageOf, strict } from '../schemas.ts';
import type { Route } from './mod.ts';

const Query = Type.Object(
  {
    holder: Type.Optional(Id('administrators; others see their own')),
    kind: Type.Optional(GrantKindSchema),
    subject: Type.Optional(Id()),
    active: Type.Optional(Type.Boolean()),
    limit: Limit,
    cursor: Cursor,
  },
  strict,
);

/** Every role that may ask for some kind; which kind takes which role is for `ingest/grants` to say. */
export const ASKERS: Access = { technical: 'ops', roles: ['supervision', 'command', 'leader'] };

/** A role's stated, bounded exception from "masked for everyone". */
export const grants: Route = (app, { grants: store, cases }) => {
  const tags = ['grants'];
  const config = { access: ASKERS };
  const own = async (request: FastifyRequest, id: string) => {
    const grant = await store.get(id);
    const asker = accountOf(request);
    if (grant.holder === asker.id || asker.roles.includes('administrator')) return grant;
    throw new GewuError('GEWU_FORBIDDEN', `${grant.holder} holds this grant`);
  };
  app.post(
    '/api/v1/grants',
    {
      config,
      schema: {
        tags,
        summary: 'Asks for a raw view or an original, for a stated purpose and time',
        description: `raw-view of a camera: ${GRANT_KINDS['raw-view'].roles.join(', ')}. original of one masked file or of an event's files: ${GRANT_KINDS.original.roles.join(', ')}. Written into the audit trail, as is each use and the end.`,
        body: NewGrant,
        response: answers(GrantAnswer, 201),
      },
    },
    async (request, reply) => reply.code(201).send(await store.create(accountOf(request), request.body)),
  );
  app.get(
    '/api/v1/grants',
    {
      config,
      schema: {
        tags,
        summary: "Own grants, an administrator's query finds all",
        querystring: Query,
        response: answers(pageOf(GrantAnswer)),
      },
    },
    (request) => {
      const asker = accountOf(request);
      const everyone = asker.roles.includes('administrator');
      return store.list(everyone ? request.query : { ...request.query, holder: asker.id });
    },
  );
  app.get(
    '/api/v1/cases/:id/grants',
    {
      config,
      schema: {
        tags,
        summary: "Who has asked for originals of a case's files, why, and how often they were read",
        params: IdParams,
        response: answers(CaseGrantsAnswer),
      },
    },
    async (request) => {
      const { events, evidence } = await cases.get(request.params.id);
      const subjects = [...events, ...evidence.map((file) => file.sha256)];
      const { items } = await store.list({ kind: 'original', subjects });
      const may: readonly string[] = GRANT_KINDS.original.roles;
      return { mayAsk: accountOf(request).roles.some((role) => may.includes(role)), items };
    },
  );
  app.get(
    '/api/v1/grants/:id',
    { config, schema: { tags, summary: 'One grant', params: IdParams, response: answers(GrantAnswer) } },
    (request) => own(request, request.params.id),
  );
  app.post(
    '/api/v1/grants/:id/end',
    {
      config,
      schema: {
        tags,
        summary: 'Ends a grant before its time: its holder, or an administrator',
        params: IdParams,
        response: answers(GrantAnswer),
      },
    },
    (request) => store.end(request.params.id, accountOf(request)),
  );
};
