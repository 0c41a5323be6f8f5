import { Type } from 'typebox';
import {
  ALERT_TOPICS,
  IncidentAnswer,
  MESSAGE_STATES,
  MessageAnswer,
  NotifySettingsAnswer,
  NotifySettingsChange,
} from '#grid/api/mod.ts';
import { Id } from '#grid/mod.ts';
import { accountOf, OPEN, OPS, VIEWERS } from '../auth/mod.ts';
import { answers, Cursor, IdParams, Limit, pageOf, strict } from '../schemas.ts';
import type { Route } from './mod.ts';

const tags = ['being told'];
const TestBody = Type.Object({ person: Id(), channel: Id() }, strict);
const LinkBody = Type.Object({ code: Type.String({ pattern: '^[A-Za-z0-9_-]{20,64}$' }) }, strict);
/** What who has only a link is told. */
const Acknowledged = Type.Object({ topic: Type.Enum(ALERT_TOPICS), alerts: Type.Integer() }, strict);

/** Who is told of what, when, and what they made of it. */
export const notify: Route = (app, context) => {
  addIncidents(app, context);
  addSettings(app, context);
};

const addIncidents: Route = (app, { notify: service }) => {
  app.get(
    '/api/v1/notify/incidents',
    {
      config: { access: VIEWERS },
      schema: {
        tags,
        summary: 'What people were told of, newest first',
        querystring: Type.Object(
          {
            open: Type.Optional(Type.Boolean({ description: 'still so' })),
            topic: Type.Optional(Type.Enum(ALERT_TOPICS)),
            limit: Limit,
            cursor: Cursor,
          },
          strict,
        ),
        response: answers(pageOf(IncidentAnswer)),
      },
    },
    (request) => service.incidents(request.query),
  );
  app.post(
    '/api/v1/notify/incidents/:id/acknowledge',
    {
      config: { access: { technical: 'ops', roles: ['supervision', 'command'] } },
      schema: { tags, summary: 'I see to it: nobody else is told', params: IdParams, response: answers(IncidentAnswer) },
    },
    (request) => service.acknowledge(request.params.id, accountOf(request)),
  );
  app.post(
    '/api/v1/notify/acknowledge',
    {
      config: { access: OPEN },
      schema: {
        tags,
        summary: 'The same by the code of the link in a message, once',
        body: LinkBody,
        response: answers(Acknowledged),
      },
    },
    async (request) => {
      const { topic, alerts } = await service.acknowledgeByLink(request.body.code);
      return { topic, alerts };
    },
  );
  app.get(
    '/api/v1/notify/messages',
    {
      config: { access: OPS },
      schema: {
        tags,
        summary: 'What was sent to whom, newest first',
        querystring: Type.Object(
          {
            incident: Type.Optional(Id()),
            person: Type.Optional(Id()),
            state: Type.Optional(Type.Enum(MESSAGE_STATES)),
            limit: Limit,
            cursor: Cursor,
          },
          strict,
        ),
        response: answers(pageOf(MessageAnswer)),
      },
    },
    (request) => service.messages(request.query),
  );
};

const addSettings: Route = (app, { notify: service }) => {
  app.get(
    '/api/v1/notify/settings',
    {
      config: { access: OPS },
      schema: { tags, summary: 'People, duty times, channels', response: answers(NotifySettingsAnswer) },
    },
    () => service.settings(),
  );
  app.put(
    '/api/v1/notify/settings',
    {
      config: { access: OPS },
      schema: {
        tags,
        summary: 'Other people or duty times, all of them',
        description: 'Channels, with their hosts and secrets, stand in the configuration. A 422 names every mistake by its key.',
        body: NotifySettingsChange,
        response: answers(NotifySettingsAnswer),
      },
    },
    (request) => {
      const { settings, revision } = request.body;
      return service.setSettings(settings, { revision, by: accountOf(request) });
    },
  );
  app.post(
    '/api/v1/notify/test',
    {
      config: { access: OPS },
      schema: {
        tags,
        summary: 'A test message to one person by one channel',
        body: TestBody,
        response: answers(MessageAnswer, 201),
      },
    },
    async (request, reply) => {
      const { person, channel } = request.body;
      return reply.code(201).send(await service.test(person, channel, accountOf(request)));
    },
  );
};
