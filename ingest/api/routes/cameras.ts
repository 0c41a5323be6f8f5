import { Type } from 'typebox';
import { Firmware, Id } from '#grid/mod.ts';
import { GewuError } from '#service/mod.ts';
import { accountOf, OPS, VIEWERS } from '../auth/mod.ts';
import {
  answers,
  CameraAnswer,
  CellCode,
  Cursor,
  HealthStateSchema,
  HistoryAnswer,
  HistoryQuery,
  IdParams,
  Limit,
  pageOf,
  strict,
} from '../schemas.ts';
import type { Route } from './mod.ts';
import { idsOfGroup, withUpkeep } from './things.ts';

const Query = Type.Object(
  {
    edge: Type.Optional(Id()),
    cell: Type.Optional(CellCode),
    state: Type.Optional(HealthStateSchema),
    group: Type.Optional(Id()),
    firmware: Type.Optional(Firmware),
    q: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: 'a part of the id, or the beginning of the component code' }),
    ),
    limit: Limit,
    cursor: Cursor,
  },
  strict,
);

const NewReference = Type.Object(
  { reason: Type.String({ minLength: 1, maxLength: 500, description: 'why it looks elsewhere; kept in the audit trail' }) },
  strict,
);

export const cameras: Route = (app, { devices, upkeep, audit, commands, clock }) => {
  const tags = ['devices'];
  const config = { access: VIEWERS };
  app.get(
    '/api/v1/cameras',
    {
      config,
      schema: {
        tags,
        summary: 'Cameras, in order of id',
        description: '`values` holds analysedFps, droppedFrames and what else the edge counts.',
        querystring: Query,
        response: answers(pageOf(CameraAnswer)),
      },
    },
    async (request) => {
      const { group, ...filter } = request.query;
      const { items, cursor } = await devices.cameras({ ...filter, ids: await idsOfGroup('camera', group, upkeep) });
      return { items: await withUpkeep('camera', items, upkeep), cursor };
    },
  );
  app.get(
    '/api/v1/cameras/:id',
    { config, schema: { tags, summary: 'One camera', params: IdParams, response: answers(CameraAnswer) } },
    async (request) => (await withUpkeep('camera', [await devices.camera(request.params.id)], upkeep))[0] as CameraAnswer,
  );
  app.get(
    '/api/v1/cameras/:id/history',
    {
      config,
      schema: {
        tags,
        summary: 'Changes of its state, newest first',
        params: IdParams,
        querystring: HistoryQuery,
        response: answers(HistoryAnswer),
      },
    },
    async (request) => ({ items: await devices.history('camera', request.params.id, request.query) }),
  );
  app.post(
    '/api/v1/cameras/:id/reference',
    {
      config: { access: OPS },
      schema: {
        tags,
        summary: 'What the camera shows from now on is right: it was moved on purpose',
        description:
          'Its edge forgets the reference picture and learns another from the next twenty good pictures; the faults `moved`, `covered`, `blurred` and `resolution` are told against that one. A camera that sends no pictures: 503.',
        params: IdParams,
        body: NewReference,
        response: answers(Type.Null(), 204),
      },
    },
    async (request, reply) => {
      const { id, edge, state, reason } = await devices.camera(request.params.id);
      if (state !== 'online' && state !== 'degraded')
        throw new GewuError('GEWU_CAMERA_OFFLINE', `camera ${id} is ${state}: ${reason}`);
      const { id: actor, roles } = accountOf(request);
      await audit.record({ actor, roles, action: 'camera-reference', subject: `camera:${id}`, purpose: request.body.reason });
      commands.send(edge, { command: 'camera-reference', camera: id, ts: clock.now() });
      return reply.code(204).send(null as never);
    },
  );
};
