import { FilingPolicy } from '#grid/mod.ts';
import { ADMINISTRATORS, VIEWERS } from '../auth/mod.ts';
import { answers } from '../schemas.ts';
import type { Route } from './mod.ts';

/** The filing policy: what the machine may do with an event of a class. */
export const policy: Route = (app, { cases }) => {
  const tags = ['policy'];
  app.get(
    '/api/v1/policy',
    { config: { access: VIEWERS }, schema: { tags, summary: 'The filing policy in force', response: answers(FilingPolicy) } },
    () => cases.policy(),
  );
  app.put(
    '/api/v1/policy',
    {
      config: { access: ADMINISTRATORS },
      schema: {
        tags,
        summary: 'A new version of the filing policy',
        description: '`version` is the present one plus one.',
        body: FilingPolicy,
        response: answers(FilingPolicy),
      },
    },
    (request) => cases.setPolicy(request.body, request.account?.id ?? ''),
  );
};
