import { Type } from 'typebox';
import { ADMINISTRATORS } from '../auth/mod.ts';
import { AuditAnswer, AuditChainAnswer, answers, Cursor, Limit, pageOf, strict, Time, Word } from '../schemas.ts';
import type { Route } from './mod.ts';

const Text = Type.String({ minLength: 1, maxLength: 512 });
const Query = Type.Object(
  {
    actor: Type.Optional(Text),
    action: Type.Optional(Word),
    subject: Type.Optional(Text),
    since: Type.Optional(Time),
    until: Type.Optional(Time),
    limit: Limit,
    cursor: Cursor,
  },
  strict,
);
/** Who did what to whom, and why. */
export const audit: Route = (app, { audit: trail }) => {
  const tags = ['audit'];
  const config = { access: ADMINISTRATORS };
  app.get(
    '/api/v1/audit',
    {
      config,
      schema: { tags, summary: 'The audit trail, newest first', querystring: Query, response: answers(pageOf(AuditAnswer)) },
    },
    (request) => trail.list(request.query),
  );
  app.get(
    '/api/v1/audit/chain',
    {
      config,
      schema: { tags, summary: 'Whether every entry of the trail is as it was written', response: answers(AuditChainAnswer) },
    },
    () => trail.verify(),
  );
};
