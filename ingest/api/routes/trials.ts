import { Type } from 'typebox';
import { PromotionAnswer, TrialAnswer, TrialSummary } from '#grid/api/mod.ts';
import { Id } from '#grid/mod.ts';
import { ADMINISTRATORS, accountOf, VIEWERS } from '../auth/mod.ts';
import { answers, listOf, Sha256, strict } from '../schemas.ts';
import type { Route } from './mod.ts';

const Params = Type.Object({ id: Type.String({ ...Sha256, description: "the candidate's package" }) }, strict);
const Reason = Type.String({ minLength: 1, maxLength: 500, description: "kept with the edges' revisions and in the trail" });
const Promote = Type.Object(
  {
    to: Type.Enum(['one', 'all'], { description: 'one edge first; all when that one has kept it through its soak time' }),
    edge: Type.Optional(Id('which one; the first that has it as its candidate')),
    forced: Type.Optional(Type.Boolean({ description: 'although the comparison does not carry it' })),
    reason: Reason,
  },
  strict,
);
const Return = Type.Object({ edge: Type.Optional(Id('all that have it from here where not said')), reason: Reason }, strict);

/** Candidates in shadow, how they compare with the models in use, and their promotion and return. */
export const trials: Route = (app, { trials: service, promotions }) => {
  const tags = ['models'];
  app.get(
    '/api/v1/trials',
    {
      config: { access: VIEWERS },
      schema: { tags, summary: 'Candidates that look or have looked in shadow', response: answers(listOf(TrialSummary)) },
    },
    async () => ({ items: await service.list() }),
  );
  app.get(
    '/api/v1/trials/:id',
    {
      config: { access: VIEWERS },
      schema: {
        tags,
        summary: 'A candidate held against the model in use',
        description: 'Same cameras, same hours. `unmet` names the limits of `promotion` in the configuration that are not kept.',
        params: Params,
        response: answers(TrialAnswer),
      },
    },
    async ({ params }) => ({ ...(await service.compare(params.id)), promotions: await promotions.list(params.id) }),
  );
  app.post(
    '/api/v1/trials/:id/promote',
    {
      config: { access: ADMINISTRATORS },
      schema: {
        tags,
        summary: 'The candidate takes the place of the model in use',
        description: 'A 409 says what is still wanting. It returns by itself where it does worse within its soak time.',
        params: Params,
        body: Promote,
        response: answers(listOf(PromotionAnswer)),
      },
    },
    async (request) => ({ items: await promotions.promote(request.params.id, request.body, accountOf(request)) }),
  );
  app.post(
    '/api/v1/trials/:id/return',
    {
      config: { access: ADMINISTRATORS },
      schema: {
        tags,
        summary: 'The model before is used again',
        params: Params,
        body: Return,
        response: answers(listOf(PromotionAnswer)),
      },
    },
    async (request) => ({ items: await promotions.return(request.params.id, request.body, accountOf(request)) }),
  );
};
