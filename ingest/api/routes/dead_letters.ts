import { Type } from 'typebox';
import { Id } from '#grid/mod.ts';
import { accountOf, OPS } from '../auth/mod.ts';
import {
  answers,
  Cursor,
  DeadLetterAnswer,
  IdParams,
  Limit,
  listOf,
  pageOf,
  ReplayAnswer,
  strict,
  Time,
  Word,
} from '../schemas.ts';
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

const Reason = Type.String({ minLength: 1, maxLength: 500, description: 'kept in the audit trail' });
const Replay = Type.Object(
  {
    reason: Reason,
    payload: Type.Optional(Type.String({ maxLength: 12_000, pattern: '^[A-Za-z0-9+/]*={0,2}$', description: 'mended, base64' })),
    topic: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'of what a device published' })),
  },
  strict,
);
const LETTERS_MAX = 500;
const Discard = Type.Object({ ids: Type.Array(Id(), { minItems: 1, maxItems: LETTERS_MAX }), reason: Reason }, strict);

/** What could not be used, at every hop, with the reason; mended and replayed, or discarded. */
export const deadLetters: Route = (app, { deadLetters: store, desk }) => {
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
  app.post(
    '/api/v1/dead-letters/:id/replay',
    {
      config,
      schema: {
        tags,
        summary: 'Sends it the way that it came once more, mended or as it is',
        description:
          'What stays broken comes back with its new reason. A letter of a device goes to its edge, which must be on line.',
        params: IdParams,
        body: Replay,
        response: answers(ReplayAnswer),
      },
    },
    (request) => desk.replay(request.params.id, request.body, accountOf(request)),
  );
  app.post(
    '/api/v1/dead-letters/discard',
    {
      config,
      schema: {
        tags,
        summary: 'Takes letters away for good',
        body: Discard,
        response: answers(Type.Object({ discarded: Type.Integer() }, strict)),
      },
    },
    async (request) => ({ discarded: await desk.discard(request.body.ids, request.body.reason, accountOf(request)) }),
  );
};
