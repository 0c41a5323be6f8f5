import { Type } from 'typebox';
import { DatasetAnswer, DatasetInput, DatasetSummary } from '#grid/api/mod.ts';
import { type Access, accountOf, VIEWERS } from '../auth/mod.ts';
import { answers, listOf, Sha256, strict } from '../schemas.ts';
import type { Route } from './mod.ts';

const Params = Type.Object({ id: Sha256 }, strict);
/** Who is responsible for what becomes a case, and so for what a model learns. */
const MAKERS: Access = { technical: 'administrator', roles: ['supervision'] };

/** Versions of datasets that verdicts have made. */
export const datasets: Route = (app, { datasets: service }) => {
  const tags = ['models'];
  app.post(
    '/api/v1/datasets',
    {
      config: { access: MAKERS },
      schema: {
        tags,
        summary: 'Makes a version of a dataset from verdicts',
        description:
          'Its id is the hash of its content: the same verdicts make the same version. `gewu models dataset` fetches the pictures.',
        body: DatasetInput,
        response: answers(DatasetSummary),
      },
    },
    (request) => service.make(request.body, accountOf(request)),
  );
  app.get(
    '/api/v1/datasets',
    {
      config: { access: VIEWERS },
      schema: { tags, summary: 'Versions of datasets, newest first', response: answers(listOf(DatasetSummary)) },
    },
    async () => ({ items: await service.list() }),
  );
  app.get(
    '/api/v1/datasets/:id',
    {
      config: { access: VIEWERS },
      schema: { tags, summary: 'A version with its pictures and labels', params: Params, response: answers(DatasetAnswer) },
    },
    (request) => service.get(request.params.id),
  );
};
