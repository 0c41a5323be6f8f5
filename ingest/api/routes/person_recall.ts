import { Type } from 'typebox';
import { DesiredCameraAnswer } from '#grid/api/mod.ts';
import { PersonRecall } from '#grid/mod.ts';
import { answers, IdParams, strict } from '../schemas.ts';
import type { Route } from './mod.ts';
import { VOUCHERS, VouchingReason, vouchingOf } from './vouching.ts';

const { sha256, recall, people } = PersonRecall.properties;
const Attested = Type.Object({ sha256, recall, people, reason: VouchingReason() }, strict);
const Withdrawn = Type.Object({ reason: VouchingReason() }, strict);

/** Whether a model finds the people of a camera, so that its pictures may show the street around an event. */
export const personRecall: Route = (app, { personRecalls: service }) => {
  const tags = ['desired state'];
  const response = answers(DesiredCameraAnswer);
  const config = { access: VOUCHERS };
  app.put(
    '/api/v1/cameras/:id/person-recall',
    {
      config,
      schema: {
        tags,
        summary: 'Vouches that a model finds the people of this camera',
        description:
          "Counted on pictures of this very camera. While the model with this file is in use, pictures of the camera's events show the street, people covered. The edge is told by its desired state.",
        params: IdParams,
        body: Attested,
        response,
      },
    },
    (request) => {
      const { reason: _, ...counted } = request.body;
      return service.attest(request.params.id, counted, vouchingOf(request));
    },
  );
  app.post(
    '/api/v1/cameras/:id/person-recall/withdraw',
    {
      config,
      schema: {
        tags,
        summary: 'Takes it back: what the file of the edge says counts, and without it all around an event is covered',
        params: IdParams,
        body: Withdrawn,
        response,
      },
    },
    (request) => service.withdraw(request.params.id, vouchingOf(request)),
  );
};
