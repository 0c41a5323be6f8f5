import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { EVIDENCE_BYTES_MAX, Id, SignedManifest } from '#grid/mod.ts';
import { ReleaseOrder } from '#grid/wire/mod.ts';
import { closeGently, GewuError } from '#service/mod.ts';
import { accountOf } from '../auth/mod.ts';
import { answers, ErrorAnswer, GrantFilesAnswer, IdParams, Sha256, strict } from '../schemas.ts';
import { ASKERS } from './grants.ts';
import type { Route } from './mod.ts';

const FileParams = Type.Object({ id: Id(), sha256: Sha256 }, strict);
const Order = Type.Object({ order: ReleaseOrder }, strict);
const Count = Type.Integer({ minimum: 0, maximum: 1000 });
const Answer = Type.Object({ sent: Count, missing: Count }, strict);
const FILES = ['image/jpeg', 'video/mp4'];
const checkSigned = Compile(SignedManifest);

/** Originals under a grant: what the edge asks, sends and says; what the holder reads. */
export const releases: Route = (app, { releases: desk }) => {
  const tags = ['grants'];
  const edges = { access: { edges: true } } as const;
  // The body of an original is read by us.
  app.addContentTypeParser(FILES, (_request, _payload, done) => done(null));

  app.get(
    '/api/v1/grants/:id/order',
    {
      config: edges,
      schema: {
        tags,
        summary: 'What a grant is worth: for the edge that has the files',
        params: IdParams,
        response: answers(Order),
      },
    },
    async (request) => ({ order: await desk.order(request.params.id, edgeOf(request)) }),
  );
  app.put(
    '/api/v1/grants/:id/files/:sha256',
    {
      config: edges,
      schema: {
        tags,
        summary: 'An original, from the edge that has it; idempotent',
        description: `The body is the file, ${EVIDENCE_BYTES_MAX} bytes at most; x-gewu-signed is its signed manifest, base64.`,
        params: FileParams,
        response: { 201: Type.Null(), '4xx': ErrorAnswer, '5xx': ErrorAnswer },
      },
    },
    async (request, reply) => {
      const { id, sha256 } = request.params;
      // A refusal comes before the body has been read: the rest of it is not worth waiting for.
      void reply.header('connection', 'close');
      closeGently(request.raw);
      await desk.put(id, edgeOf(request), sha256, signedOf(request), request.raw);
      void reply.removeHeader('connection');
      return reply.code(201).send(null as never);
    },
  );
  app.post(
    '/api/v1/grants/:id/answer',
    {
      config: edges,
      schema: {
        tags,
        summary: 'How many files the edge has sent, and has no more',
        params: IdParams,
        body: Answer,
        response: answers(Type.Null(), 204),
      },
    },
    async (request, reply) => {
      await desk.answered(request.params.id, edgeOf(request), request.body);
      return reply.code(204).send(null as never);
    },
  );
  app.get(
    '/api/v1/grants/:id/files',
    {
      config: { access: ASKERS },
      schema: {
        tags,
        summary: 'Originals that have arrived for the holder',
        params: IdParams,
        response: answers(GrantFilesAnswer),
      },
    },
    async (request) => ({ items: await desk.files(request.params.id, accountOf(request)) }),
  );
  app.get(
    '/api/v1/grants/:id/files/:sha256',
    {
      config: { access: ASKERS },
      schema: {
        tags,
        summary: 'One original, for the holder alone, until the end of the grant; each time is an entry of the audit trail',
        params: FileParams,
        response: {
          200: {
            content: Object.fromEntries(
              FILES.map((type) => [type, { schema: Type.Unsafe<Buffer>({ type: 'string', format: 'binary' }) }]),
            ),
          },
          '4xx': ErrorAnswer,
          '5xx': ErrorAnswer,
        },
      },
    },
    async (request, reply) => {
      const { id, sha256 } = request.params;
      const { mediaType, content } = await desk.read(id, accountOf(request), sha256);
      void reply.headers({
        'cache-control': 'no-store',
        'content-security-policy': "default-src 'none'; sandbox",
        'content-type': mediaType,
      });
      return reply.send(content);
    },
  );
};

/** These routes let nobody else in. */
function edgeOf({ edge }: FastifyRequest): string {
  if (edge === null) throw new GewuError('GEWU_INTERNAL', 'a route of edges without an edge');
  return edge;
}

function signedOf({ headers }: FastifyRequest): SignedManifest {
  const header = headers['x-gewu-signed'];
  try {
    const signed: unknown = JSON.parse(Buffer.from(String(header), 'base64').toString('utf8'));
    if (checkSigned.Check(signed)) return signed;
  } catch {
    // Told below.
  }
  throw new GewuError('GEWU_REQUEST_INVALID', 'x-gewu-signed is not a signed manifest');
}
