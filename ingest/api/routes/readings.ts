import { Type } from 'typebox';
import { Id } from '#grid/mod.ts';
import { POINTS_DEFAULT, POINTS_MAX, RESOLUTIONS } from '../../timeseries/mod.ts';
import { VIEWERS } from '../auth/mod.ts';
import { answers, LatestAnswer, RangeAnswer, strict, Time, Word } from '../schemas.ts';
import type { Route } from './mod.ts';

const Range = Type.Object(
  {
    device: Id(),
    from: Time,
    to: Time,
    resolution: Type.Optional(Type.Enum(RESOLUTIONS)),
    fields: Type.Optional(Type.Array(Word, { minItems: 1, maxItems: 64, description: 'comma-separated; all when missing' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: POINTS_MAX, default: POINTS_DEFAULT, description: 'points' })),
  },
  strict,
);
const Count = Type.Object({ from: Time, to: Time, device: Type.Optional(Id()) }, strict);
const Latest = Type.Object({ devices: Type.Array(Id(), { minItems: 1, maxItems: 500, description: 'comma-separated' }) }, strict);

export const readings: Route = (app, { timeseries }) => {
  const tags = ['readings'];
  const config = { access: VIEWERS };
  app.get(
    '/api/v1/readings',
    {
      config,
      schema: {
        tags,
        summary: 'Readings of one device in [from, to), raw or aggregated',
        description: '`auto` takes the finest resolution that gives at most `limit` points.',
        querystring: Range,
        response: answers(RangeAnswer),
      },
    },
    (request) => timeseries.range(request.query),
  );
  app.get(
    '/api/v1/readings/count',
    {
      config,
      schema: {
        tags,
        summary: 'How many raw readings are stored in [from, to)',
        querystring: Count,
        response: answers(Type.Object({ count: Type.Integer() }, strict)),
      },
    },
    async (request) => ({ count: await timeseries.count(request.query) }),
  );
  app.get(
    '/api/v1/readings/latest',
    {
      config,
      schema: { tags, summary: 'The newest reading of each device', querystring: Latest, response: answers(LatestAnswer) },
    },
    async (request) => {
      const latest = await timeseries.latest(request.query.devices);
      return { items: [...latest].map(([device, reading]) => ({ device, ...reading })) };
    },
  );
};
