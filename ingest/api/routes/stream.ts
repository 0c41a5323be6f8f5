import { Type } from 'typebox';
import { TOPICS } from '../../news/mod.ts';
import { credentialsOf, VIEWERS } from '../auth/mod.ts';
import { ErrorAnswer, strict } from '../schemas.ts';
import type { Route } from './mod.ts';

const Query = Type.Object(
  {
    of: Type.Optional(
      Type.Array(Type.Enum(TOPICS), { minItems: 1, maxItems: 8, description: 'comma-separated; all when missing' }),
    ),
  },
  strict,
);

/** The live stream: server-sent events, read with fetch streaming (EventSource cannot send a token). */
export const stream: Route = (app, { hub, authenticator }) => {
  app.get(
    '/api/v1/stream',
    {
      // A HEAD of it would never end.
      exposeHeadRoute: false,
      config: { access: VIEWERS },
      schema: {
        tags: ['stream'],
        summary: 'Changes of cases, events and health as server-sent events',
        description:
          'Each message names what changed, at whichever replica: `{of, id, what, ts}` of cases and events, `{of, edge, id, state, reason, ts}` of health. ' +
          '`anew`, whatever was asked for: changes may have been missed, what is shown has to be read anew.',
        querystring: Query,
        response: { 200: { content: { 'text/event-stream': { schema: Type.String() } } }, '4xx': ErrorAnswer },
      },
    },
    async (request, reply) => {
      hub.check();
      const headers = reply.getHeaders() as Record<string, string>;
      reply.hijack();
      const topics = new Set(request.query.of ?? TOPICS);
      hub.open({ response: reply.raw, topics, stillValid: () => authenticator.stillValid(credentialsOf(request)) }, headers);
    },
  );
};
