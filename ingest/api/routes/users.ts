import { Type } from 'typebox';
import { Id } from '#grid/mod.ts';
import { PASSWORD_CHARS_MAX } from '../../sessions/mod.ts';
import { ADMINISTRATORS, accountOf } from '../auth/mod.ts';
import { answers, listOf, nullable, Role, strict, Time, UserAnswer } from '../schemas.ts';
import type { Route } from './mod.ts';

const Roles = Type.Array(Role, { minItems: 1, maxItems: 16 });
const NewUser = Type.Object(
  {
    name: Id('the account; a token of the same name is the same account'),
    roles: Roles,
    department: Type.Optional(Id('of the role department')),
    password: Type.Optional(Type.String({ minLength: 1, maxLength: PASSWORD_CHARS_MAX })),
  },
  strict,
);
const Change = Type.Object(
  {
    roles: Type.Optional(Roles),
    department: Type.Optional(nullable(Id())),
    disabled: Type.Optional(Type.Boolean()),
    forgetPassword: Type.Optional(Type.Literal(true)),
  },
  strict,
);
const Named = Type.Object({ name: Id() }, strict);
const Link = Type.Object({ code: Type.String({ description: 'shown this once' }), expiresAt: Time }, strict);

/** People who may sign in to the console. */
export const users: Route = (app, { sessions }) => {
  const tags = ['users'];
  const config = { access: ADMINISTRATORS };
  app.get(
    '/api/v1/users',
    { config, schema: { tags, summary: 'All users', response: answers(listOf(UserAnswer)) } },
    async () => ({ items: await sessions.users() }),
  );
  app.post(
    '/api/v1/users',
    { config, schema: { tags, summary: 'A new user', body: NewUser, response: answers(UserAnswer, 201) } },
    async (request, reply) => reply.code(201).send(await sessions.createUser(request.body, accountOf(request))),
  );
  app.patch(
    '/api/v1/users/:name',
    {
      config,
      schema: {
        tags,
        summary: 'Other roles, another department, disabled or not; ends the sessions of the user',
        params: Named,
        body: Change,
        response: answers(UserAnswer),
      },
    },
    (request) => sessions.changeUser(request.params.name, request.body, accountOf(request)),
  );
  app.post(
    '/api/v1/users/:name/sign-in-link',
    {
      config,
      schema: {
        tags,
        summary: 'A code for one log-in within ten minutes: of a new user, or one who forgot the password',
        params: Named,
        response: answers(Link, 201),
      },
    },
    async (request, reply) => reply.code(201).send(await sessions.link(request.params.name, accountOf(request))),
  );
  app.delete(
    '/api/v1/users/:name/sessions',
    {
      config,
      schema: { tags, summary: 'Signs the user out everywhere', params: Named, response: answers(Type.Null(), 204) },
    },
    async (request, reply) => {
      await sessions.signOutEverywhere(request.params.name);
      return reply.code(204).send(null as never);
    },
  );
};
