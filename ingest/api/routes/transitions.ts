import { type TObject, Type } from 'typebox';
import { Case, type Place, type Position } from '#grid/mod.ts';
import { GewuError } from '#service/mod.ts';
import { TRANSITIONS } from '../../cases/mod.ts';
import { accountOf, VIEWERS } from '../auth/mod.ts';
import { answers, CellCode, IdParams, TransitionsAnswer } from '../schemas.ts';
import type { App, Route } from './mod.ts';

type Transition = (typeof TRANSITIONS)[number];

/** What people do with cases: one route for each transition of ingest/cases/transitions, with its own input and roles. */
export const transitions: Route = (app, context) => {
  const { cases } = context;
  const tags = ['cases'];
  app.get(
    '/api/v1/cases/:id/transitions',
    {
      config: { access: VIEWERS },
      schema: {
        tags,
        summary: 'What this account may do with the case now',
        params: IdParams,
        response: answers(TransitionsAnswer),
      },
    },
    async (request) => ({ items: await cases.available(request.params.id, accountOf(request)) }),
  );
  // A step that needs no input may come without a body.
  app.addHook('preValidation', async (request) => {
    if (request.method === 'POST') request.body ??= {};
  });
  for (const transition of TRANSITIONS)
    if (transition.from.length === 0) addReport(app, context, transition);
    else addTransition(app, context, transition);
};

function addTransition(app: App, { cases }: Parameters<Route>[1], { name, labelZh, labelEn, roles, input }: Transition): void {
  app.post(
    `/api/v1/cases/:id/transitions/${name}`,
    {
      config: { access: { roles } },
      schema: { tags: ['cases'], summary: `${labelEn} ${labelZh}`, params: IdParams, body: input, response: answers(Case) },
    },
    (request) => cases.transition((request.params as { id: string }).id, name, accountOf(request), request.body),
  );
}

/** A person points at a place; which unit grid that is, the registry knows. */
function addReport(app: App, { cases, registry }: Parameters<Route>[1], { labelZh, labelEn, roles, input }: Transition): void {
  const { properties } = input as TObject<{ place: typeof Place }>;
  const place = Type.Object(
    { ...properties.place.properties, cell: Type.Optional(CellCode) },
    { additionalProperties: false, description: 'without `cell` the unit grid is found from the position' },
  );
  app.post(
    '/api/v1/cases',
    {
      config: { access: { roles } },
      schema: {
        tags: ['cases'],
        summary: `${labelEn} ${labelZh}`,
        body: Type.Object({ ...properties, place }, { additionalProperties: false }),
        response: answers(Case, 201),
      },
    },
    async (request, reply) => {
      const body = request.body as { place: Position & { cell?: string } };
      const cell = body.place.cell ?? registry.cellNear(body.place);
      if (cell === null)
        throw new GewuError('GEWU_REQUEST_INVALID', 'body.place lies in no unit grid of this centre: name its cell');
      const opened = await cases.report(accountOf(request), { ...body, place: { ...body.place, cell } });
      return reply.code(201).send(opened);
    },
  );
}
