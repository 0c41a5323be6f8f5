import { Type } from 'typebox';
import { Id } from '#grid/mod.ts';
import { GewuError } from '#service/mod.ts';
import { ADMINISTRATORS, createToken, listTokens, revokeToken } from '../auth/mod.ts';
import { answers, listOf, Role, Sha256, strict, Time, TokenAnswer } from '../schemas.ts';
import type { Route } from './mod.ts';

const NewToken = Type.Object(
  {
    name: Id('the account; two tokens of one name are one account'),
    roles: Type.Array(Role, { minItems: 1, maxItems: 16 }),
    department: Type.Optional(Id('of the role department')),
    expiresAt: Type.Optional(Time),
  },
  strict,
);
const Created = Type.Object({ token: Type.String({ description: 'shown this once' }), ...TokenAnswer.properties }, strict);

/** Accounts' tokens. The database holds their SHA-256 only. */
export const tokens: Route = (app, { database, clock, config: { tokens: fixed }, tokens: accounts }) => {
  const tags = ['tokens'];
  const config = { access: ADMINISTRATORS };
  app.post(
    '/api/v1/tokens',
    { config, schema: { tags, summary: 'A new token', body: NewToken, response: answers(Created, 201) } },
    async (request, reply) => {
      const { expiresAt } = request.body;
      if (expiresAt !== undefined && expiresAt <= clock.now())
        throw new GewuError('GEWU_REQUEST_INVALID', 'body.expiresAt is in the past');
      const { token, info } = await createToken({ database, clock, fixed }, request.body);
      return reply.code(201).send({ token, ...info });
    },
  );
  app.get(
    '/api/v1/tokens',
    { config, schema: { tags, summary: 'All tokens, without themselves', response: answers(listOf(TokenAnswer)) } },
    async () => ({ items: await listTokens(database.kysely) }),
  );
  app.delete(
    '/api/v1/tokens/:sha256',
    {
      config,
      schema: {
        tags,
        summary: 'Revokes a token',
        description: 'At once here, within seconds on other replicas.',
        params: Type.Object({ sha256: Sha256 }, strict),
        response: answers(Type.Null(), 204),
      },
    },
    async (request, reply) => {
      await revokeToken(database.kysely, request.params.sha256);
      accounts.forget(request.params.sha256);
      return reply.code(204).send(null as never);
    },
  );
};
