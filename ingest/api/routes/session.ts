import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { Id } from '#grid/mod.ts';
import { GewuError } from '#service/mod.ts';
import { type Origin, PASSWORD_CHARS_MAX, type Session } from '../../sessions/mod.ts';
import { fromOwnPage, OPEN, sessionCookieOf, setCookie, VIEWERS } from '../auth/mod.ts';
import { answers, SessionAnswer, strict } from '../schemas.ts';
import type { Route } from './mod.ts';

const Password = Type.String({ minLength: 1, maxLength: PASSWORD_CHARS_MAX });
const SignIn = Type.Object({ name: Id(), password: Password }, strict);
const ByLink = Type.Object({ code: Type.String({ pattern: '^[A-Za-z0-9_-]{20,100}$' }) }, strict);
const NewPassword = Type.Object(
  { old: Type.Optional(Password), password: Type.String({ minLength: 1, maxLength: PASSWORD_CHARS_MAX }) },
  strict,
);
const Out = Type.Object(
  { everywhere: Type.Optional(Type.Boolean({ default: false, description: 'all sessions of the account' })) },
  strict,
);

/** Signing in and out: for people with a browser. Programs use tokens. */
export const session: Route = (app, { sessions }) => {
  const tags = ['session'];
  const opened = async (request: FastifyRequest, reply: FastifyReply, cookie: string) => {
    void reply.header('set-cookie', setCookie(request, cookie));
    return toAnswer((await sessions.find(cookie)) as Session);
  };
  app.post(
    '/api/v1/session',
    {
      config: { access: OPEN },
      schema: { tags, summary: 'Signs in, sets a cookie', body: SignIn, response: answers(SessionAnswer) },
    },
    async (request, reply) => {
      checkPage(request);
      const { name, password } = request.body;
      return opened(request, reply, await sessions.signIn(name, password, originOf(request)));
    },
  );
  app.post(
    '/api/v1/session/link',
    {
      config: { access: OPEN },
      schema: { tags, summary: 'Signs in by a one-time code', body: ByLink, response: answers(SessionAnswer) },
    },
    async (request, reply) => {
      checkPage(request);
      return opened(request, reply, await sessions.signInByLink(request.body.code, originOf(request)));
    },
  );
  app.get(
    '/api/v1/session',
    { config: { access: VIEWERS }, schema: { tags, summary: 'Who asks', response: answers(SessionAnswer) } },
    async (request) => {
      const found = await ownSession(request);
      if (found !== null) return toAnswer(found);
      const { id: name, roles, department = null } = request.account as NonNullable<typeof request.account>;
      return { name, roles: [...roles], department, csrf: null, expiresAt: null };
    },
  );
  app.delete(
    '/api/v1/session',
    {
      config: { access: VIEWERS },
      schema: { tags, summary: 'Signs out, here or everywhere', querystring: Out, response: answers(Type.Null(), 204) },
    },
    async (request, reply) => {
      const cookie = sessionCookieOf(request);
      if (request.query.everywhere && request.account) await sessions.signOutEverywhere(request.account.id);
      else if (cookie !== null) await sessions.signOut(cookie);
      return reply
        .code(204)
        .header('set-cookie', setCookie(request, ''))
        .send(null as never);
    },
  );
  app.put(
    '/api/v1/session/password',
    {
      config: { access: VIEWERS },
      schema: {
        tags,
        summary: 'A new password; ends all other sessions of the account',
        body: NewPassword,
        response: answers(Type.Null(), 204),
      },
    },
    async (request, reply) => {
      const cookie = sessionCookieOf(request);
      if (cookie === null || (await ownSession(request)) === null)
        throw new GewuError('GEWU_REQUEST_INVALID', 'a token has no password: sign in');
      await sessions.changePassword(cookie, request.body.old, request.body.password);
      return reply.code(204).send(null as never);
    },
  );

  async function ownSession(request: FastifyRequest): Promise<Session | null> {
    const cookie = request.headers.authorization === undefined ? sessionCookieOf(request) : null;
    return cookie === null ? null : sessions.find(cookie);
  }
};

/** A foreign page must not sign a browser in as somebody of its choice. */
function checkPage(request: FastifyRequest): void {
  if (!fromOwnPage(request)) throw new GewuError('GEWU_FORBIDDEN', 'the request comes from a page that is not ours');
}

function originOf(request: FastifyRequest): Origin {
  return { address: request.ip, agent: request.headers['user-agent'] ?? '' };
}

function toAnswer({ account, csrf, expiresAt }: Session) {
  return { name: account.id, roles: [...account.roles], department: account.department ?? null, csrf, expiresAt };
}
