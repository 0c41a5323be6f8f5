import { Type } from 'typebox';
import { modelPackagePath } from '#grid/wire/mod.ts';
import { closeGently, GewuError } from '#service/mod.ts';
import { ADMINISTRATORS, VIEWERS } from '../auth/mod.ts';
import { answers, ErrorAnswer, listOf, ModelPackageAnswer, Sha256, strict } from '../schemas.ts';
import type { Route } from './mod.ts';

const tags = ['models'];
const Params = Type.Object({ sha256: Sha256 }, strict);
const rangeExpression = /^bytes=([0-9]{1,12})-$/;

/** Packages of models. Uploads and downloads are streamed, never held in memory. */
export const models: Route = (app, { models: store }) => {
  // Whatever the content type says, the body is bytes for the store.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.get(
    '/api/v1/models',
    {
      config: { access: VIEWERS },
      schema: { tags, summary: 'Model packages, newest first', response: answers(listOf(ModelPackageAnswer)) },
    },
    async () => ({ items: await store.list() }),
  );
  app.put(
    '/api/v1/models/:sha256',
    {
      config: { access: ADMINISTRATORS },
      schema: {
        tags,
        summary: 'Upload of a package under its own hash; idempotent',
        description: 'The body is the file that `gewu models sign` wrote.',
        params: Params,
        response: answers(ModelPackageAnswer),
      },
    },
    async (request, reply) => {
      // A refusal comes before the body has been read: the rest of it is not worth waiting for.
      void reply.header('connection', 'close');
      closeGently(request.raw);
      const { account } = request;
      const stored = await store.put(request.params.sha256, request.raw, { by: account?.id ?? '', roles: account?.roles ?? [] });
      void reply.removeHeader('connection');
      return stored;
    },
  );
  app.get(
    `/${modelPackagePath(':sha256')}`,
    {
      config: { access: { edges: true, technical: 'administrator' } },
      schema: {
        tags,
        summary: 'A package, from a byte on where the range says so',
        params: Params,
        response: {
          200: { content: { 'application/octet-stream': { schema: Type.Unsafe<Buffer>({ type: 'string', format: 'binary' }) } } },
          206: { content: { 'application/octet-stream': { schema: Type.Unsafe<Buffer>({ type: 'string', format: 'binary' }) } } },
          '4xx': ErrorAnswer,
          '5xx': ErrorAnswer,
        },
      },
    },
    async (request, reply) => {
      const { range } = request.headers;
      const from = range === undefined ? 0 : Number(rangeExpression.exec(range)?.[1] ?? Number.NaN);
      if (Number.isNaN(from)) throw new GewuError('GEWU_REQUEST_INVALID', 'range: `bytes=N-` is all that is served');
      const { stream, bytes } = await store.open(request.params.sha256, from);
      void reply.headers({
        'content-type': 'application/octet-stream',
        'content-length': bytes - from,
        ...(range === undefined ? {} : { 'content-range': `bytes ${from}-${bytes - 1}/${bytes}` }),
      });
      return reply.code(range === undefined ? 200 : 206).send(stream as never);
    },
  );
};
