import { Type } from 'typebox';
import { ApprovalAnswer } from '#grid/api/mod.ts';
import { SiteApproval } from '#grid/mod.ts';
import { VIEWERS } from '../auth/mod.ts';
import { answers, IdParams, listOf, strict } from '../schemas.ts';
import type { Route } from './mod.ts';
import { VOUCHERS, VouchingReason, vouchingOf } from './vouching.ts';

const { model, detects } = SiteApproval.properties;
const Change = Type.Object({ model, detects, reason: VouchingReason() }, strict);

/** Which classes of a model may open cases on a camera, and what reviewers found there. */
export const approvals: Route = (app, { approvals: service }) => {
  const tags = ['verdicts'];
  const response = answers(listOf(ApprovalAnswer));
  app.get(
    '/api/v1/cameras/:id/approvals',
    {
      config: { access: VIEWERS },
      schema: { tags, summary: 'What a model has shown on a camera, class by class', params: IdParams, response },
    },
    async (request) => ({ items: await service.list(request.params.id) }),
  );
  app.post(
    '/api/v1/cameras/:id/approvals',
    {
      config: { access: VOUCHERS },
      schema: {
        tags,
        summary: 'Switches a class of a model on for this camera',
        description: 'A 409 says what is still wanting. The edge is told by its desired state.',
        params: IdParams,
        body: Change,
        response,
      },
    },
    async (request) => ({ items: await service.approve(request.params.id, wantedOf(request.body), vouchingOf(request)) }),
  );
  app.post(
    '/api/v1/cameras/:id/approvals/withdraw',
    {
      config: { access: VOUCHERS },
      schema: {
        tags,
        summary: 'Switches it off again: what is found from then on is recorded only',
        params: IdParams,
        body: Change,
        response,
      },
    },
    async (request) => ({ items: await service.withdraw(request.params.id, wantedOf(request.body), vouchingOf(request)) }),
  );
};

const wantedOf = ({ model, detects }: { model: string; detects: string }) => ({ model, detects });
