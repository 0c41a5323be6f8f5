import { Type } from 'typebox';
import {
  BULK_MAX,
  FirmwareAnswer,
  GroupAnswer,
  MaintenanceAnswer,
  ScoresAnswer,
  Subject,
  Thing,
  UPKEEP_CAUSES,
  UPKEEP_STATES,
  UpkeepCaseAnswer,
  UpkeepCaseDetail,
} from '#grid/api/mod.ts';
import { Id } from '#grid/mod.ts';
import { accountOf, OPS, VIEWERS } from '../auth/mod.ts';
import { answers, Cursor, IdParams, Limit, listOf, pageOf, strict, Time } from '../schemas.ts';
import type { Route } from './mod.ts';

const tags = ['upkeep'];
const MINUTES_MAX = 60 * 24 * 90;
const Subjects = Type.Array(Subject, { minItems: 1, maxItems: BULK_MAX });
const Things = Type.Optional(Type.Array(Thing, { maxItems: BULK_MAX }));
const Text = Type.String({ minLength: 1, maxLength: 500 });

/** Keeping devices going: who works on what, what is broken, how well it all is. */
export const upkeep: Route = (app, context) => {
  addMaintenance(app, context);
  addGroups(app, context);
  addCases(app, context);
  app.get(
    '/api/v1/upkeep/scores',
    {
      config: { access: VIEWERS },
      schema: { tags, summary: 'Health scores of edges and districts, the worst first', response: answers(ScoresAnswer) },
    },
    async () => ({ items: await context.upkeep.scores() }),
  );
  app.get(
    '/api/v1/upkeep/firmware',
    {
      config: { access: VIEWERS },
      schema: { tags, summary: 'Which firmware runs on how many, the most frequent first', response: answers(FirmwareAnswer) },
    },
    async () => ({ items: await context.devices.firmware() }),
  );
};

const addMaintenance: Route = (app, { upkeep: service }) => {
  app.get(
    '/api/v1/upkeep/maintenance',
    {
      config: { access: VIEWERS },
      schema: {
        tags,
        summary: 'Maintenance windows, newest first',
        querystring: Type.Object(
          {
            active: Type.Optional(Type.Boolean()),
            open: Type.Optional(Type.Boolean({ description: 'not over: now, or to come' })),
            limit: Limit,
            cursor: Cursor,
          },
          strict,
        ),
        response: answers(pageOf(MaintenanceAnswer)),
      },
    },
    (request) => service.windows(request.query),
  );
  app.post(
    '/api/v1/upkeep/maintenance',
    {
      config: { access: OPS },
      schema: {
        tags,
        summary: 'Puts things under maintenance',
        description:
          'No cases of their health and no notifications meanwhile; alarms of devices are recorded at their edge and open no case. Ends by itself.',
        body: Type.Object(
          {
            subjects: Subjects,
            from: Type.Optional(Time),
            minutes: Type.Number({ minimum: 0.1, maximum: MINUTES_MAX }),
            reason: Text,
          },
          strict,
        ),
        response: answers(listOf(MaintenanceAnswer), 201),
      },
    },
    async (request, reply) => reply.code(201).send({ items: await service.begin(request.body, accountOf(request)) }),
  );
  app.post(
    '/api/v1/upkeep/maintenance/end',
    {
      config: { access: OPS },
      schema: {
        tags,
        summary: 'Ends windows by their ids, and what is open, or to be opened, for these subjects',
        body: Type.Object(
          {
            subjects: Type.Optional(Type.Array(Subject, { maxItems: BULK_MAX })),
            windows: Type.Optional(Type.Array(Id(), { maxItems: BULK_MAX })),
          },
          strict,
        ),
        response: answers(listOf(MaintenanceAnswer)),
      },
    },
    async (request) => ({ items: await service.end(request.body, accountOf(request)) }),
  );
};

const addGroups: Route = (app, { upkeep: service }) => {
  app.get(
    '/api/v1/upkeep/groups',
    {
      config: { access: VIEWERS },
      schema: { tags, summary: 'Circuits, pressure zones and free groups', response: answers(listOf(GroupAnswer)) },
    },
    async () => ({ items: await service.groups() }),
  );
  app.get(
    '/api/v1/upkeep/groups/:id',
    {
      config: { access: VIEWERS },
      schema: {
        tags,
        summary: 'One group with its members',
        params: IdParams,
        response: answers(Type.Object({ group: GroupAnswer, members: Type.Array(Thing) }, strict)),
      },
    },
    (request) => service.group(request.params.id),
  );
  app.put(
    '/api/v1/upkeep/groups/:id',
    {
      config: { access: OPS },
      schema: {
        tags,
        summary: 'Makes or renames a free group',
        params: IdParams,
        body: Type.Object({ name: Type.String({ minLength: 1, maxLength: 64 }) }, strict),
        response: answers(GroupAnswer),
      },
    },
    (request) => service.putGroup(request.params.id, request.body.name, accountOf(request)),
  );
  app.post(
    '/api/v1/upkeep/groups/:id/members',
    {
      config: { access: OPS },
      schema: {
        tags,
        summary: 'Puts things into a free group, takes others out',
        params: IdParams,
        body: Type.Object({ add: Things, remove: Things }, strict),
        response: answers(GroupAnswer),
      },
    },
    (request) => service.changeGroup(request.params.id, request.body, accountOf(request)),
  );
  app.delete(
    '/api/v1/upkeep/groups/:id',
    {
      config: { access: OPS },
      schema: { tags, summary: 'Takes a free group away', params: IdParams, response: answers(Type.Null(), 204) },
    },
    async (request, reply) => {
      await service.removeGroup(request.params.id, accountOf(request));
      return reply.code(204).send(null as never);
    },
  );
};

const addCases: Route = (app, { upkeep: service }) => {
  app.get(
    '/api/v1/upkeep/cases',
    {
      config: { access: VIEWERS },
      schema: {
        tags,
        summary: "Maintenance cases, newest first; apart from the city's cases",
        querystring: Type.Object(
          {
            state: Type.Optional(Type.Enum(UPKEEP_STATES)),
            open: Type.Optional(Type.Boolean({ description: 'not fixed' })),
            cause: Type.Optional(Type.Enum(UPKEEP_CAUSES)),
            edge: Type.Optional(Id()),
            limit: Limit,
            cursor: Cursor,
          },
          strict,
        ),
        response: answers(pageOf(UpkeepCaseAnswer)),
      },
    },
    (request) => service.cases(request.query),
  );
  app.get(
    '/api/v1/upkeep/cases/:id',
    {
      config: { access: VIEWERS },
      schema: { tags, summary: 'One of them, with its things', params: IdParams, response: answers(UpkeepCaseDetail) },
    },
    (request) => service.case(request.params.id),
  );
  app.post(
    '/api/v1/upkeep/cases/acknowledge',
    {
      config: { access: OPS },
      schema: {
        tags,
        summary: 'I have seen these',
        body: Type.Object({ ids: Type.Array(Id(), { minItems: 1, maxItems: BULK_MAX }) }, strict),
        response: answers(listOf(UpkeepCaseAnswer)),
      },
    },
    async (request) => ({ items: await service.acknowledge(request.body.ids, accountOf(request)) }),
  );
  app.post(
    '/api/v1/upkeep/cases/:id/assign',
    {
      config: { access: OPS },
      schema: {
        tags,
        summary: 'Gives it to somebody',
        params: IdParams,
        body: Type.Object({ to: Id('account') }, strict),
        response: answers(UpkeepCaseAnswer),
      },
    },
    (request) => service.assign(request.params.id, request.body.to, accountOf(request)),
  );
  app.post(
    '/api/v1/upkeep/cases/:id/fix',
    {
      config: { access: OPS },
      schema: {
        tags,
        summary: 'It is mended, by word',
        description: 'Where health does not come back within the grace time, a new case opens.',
        params: IdParams,
        body: Type.Object({ note: Text }, strict),
        response: answers(UpkeepCaseAnswer),
      },
    },
    (request) => service.fix(request.params.id, request.body.note, accountOf(request)),
  );
};
