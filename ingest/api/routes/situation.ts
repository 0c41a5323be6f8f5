import { CoverageAnswer, PipelineAnswer, SituationAnswer } from '#grid/api/mod.ts';
import { VIEWERS } from '../auth/mod.ts';
import { answers } from '../schemas.ts';
import type { Route } from './mod.ts';

/** What people keep open all day: how the city is, and how the way of its data is. */
export const situation: Route = (app, { situation: city, coverage, pipeline, replicas }) => {
  const tags = ['situation'];
  const config = { access: VIEWERS };
  app.get(
    '/api/v1/situation',
    { config, schema: { tags, summary: 'Open cases and states by unit grid', response: answers(SituationAnswer) } },
    () => city.now(),
  );
  app.get(
    '/api/v1/coverage',
    {
      config,
      schema: { tags, summary: 'Which unit grids were watched in the last 24 hours', response: answers(CoverageAnswer) },
    },
    () => coverage.lastDay(),
  );
  app.get(
    '/api/v1/pipeline',
    { config, schema: { tags, summary: 'Throughput, times, queues, stores, replicas', response: answers(PipelineAnswer) } },
    async () => {
      const [report, running] = await Promise.all([pipeline.report(), replicas.list().catch(() => null)]);
      return { ...report, replicas: running };
    },
  );
};
