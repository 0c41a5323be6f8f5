import { Type } from 'typebox';
import { Id } from '#grid/mod.ts';
import { VIEWERS } from '../auth/mod.ts';
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

const Query = Type.Object(
  {
    edge: Type.Optional(Id()),
    cell: Type.Optional(CellCode),
    state: Type.Optional(HealthStateSchema),
    q: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: 'a part of the id, or the beginning of the component code' }),
    ),
    limit: Limit,
    cursor: Cursor,
  },
  strict,
);

export const cameras: Route = (app, { devices }) => {
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
    (request) => devices.cameras(request.query),
  );
  app.get(
    '/api/v1/cameras/:id',
    { config, schema: { tags, summary: 'One camera', params: IdParams, response: answers(CameraAnswer) } },
    (request) => devices.camera(request.params.id),
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
};
