import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { CASE_ROLES, EVIDENCE_BYTES_MAX, EVIDENCE_MEDIA_TYPES, ID_PATTERN } from '#grid/mod.ts';
import { closeGently, GewuError } from '#service/mod.ts';
import { VIEWERS } from '../auth/mod.ts';
import { answers, ErrorAnswer, Sha256, strict, Time } from '../schemas.ts';
import type { Route } from './mod.ts';

const Params = Type.Object({ sha256: Sha256 }, strict);
const Stored = Type.Object({ sha256: Sha256, mediaType: Type.String(), bytes: Type.Integer(), storedAt: Time }, strict);
const Begun = Type.Object({ bytes: Type.Integer({ minimum: 0 }) }, strict);
/** The name is the content: it can never change. */
const FOREVER = 'private, max-age=31536000, immutable';
/** A file that pretends to be a page gets nothing done. */
const FILE_POLICY = "default-src 'none'; sandbox";

/** Files that prove a case. Uploads are streamed to disk, never held in memory. */
export const evidence: Route = (app, { evidence: store, log }) => {
  const tags = ['evidence'];
  // Whatever the content type says, the body is bytes for the store.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  app.put(
    '/api/v1/evidence/:sha256',
    {
      config: { access: { edges: true, roles: CASE_ROLES } },
      schema: {
        tags,
        summary: 'Upload of a file under its own hash; idempotent',
        description: `The body is the file, ${EVIDENCE_BYTES_MAX} bytes at most, content-type ${EVIDENCE_MEDIA_TYPES.join(', ')}; x-gewu-event names the event that it belongs to. An edge that was cut off sends the rest: x-gewu-offset is the byte at which the body begins.`,
        params: Params,
        response: { 200: Stored, 201: Stored, '4xx': ErrorAnswer, '5xx': ErrorAnswer },
      },
    },
    async (request, reply) => {
      const event = eventOf(request);
      const mediaType = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
      const sender = request.edge ?? request.account?.id ?? '';
      // A refusal comes before the body has been read: the rest of it is not worth waiting for.
      void reply.header('connection', 'close');
      closeGently(request.raw);
      if (Number(request.headers['content-length'] ?? 0) > EVIDENCE_BYTES_MAX)
        throw new GewuError('GEWU_PAYLOAD_TOO_LARGE', `more than ${EVIDENCE_BYTES_MAX} B`);
      const { created, ...file } = await store.put(request.params.sha256, mediaType, request.raw, {
        sender,
        ...(request.edge === null ? {} : { offset: offsetOf(request) }),
      });
      void reply.removeHeader('connection');
      log.debug({ sha256: file.sha256, event, sender, bytes: file.bytes }, 'evidence stored');
      return reply
        .code(created ? 201 : 200)
        .send({ sha256: file.sha256, mediaType: file.mediaType, bytes: file.bytes, storedAt: file.storedAt });
    },
  );

  app.get(
    '/api/v1/evidence/:sha256/upload',
    {
      config: { access: { edges: true } },
      schema: {
        tags,
        summary: 'How much of a file has come from this edge: where its next upload goes on',
        params: Params,
        response: answers(Begun),
      },
    },
    async (request) => ({ bytes: await store.uploaded(request.params.sha256, request.edge ?? '') }),
  );

  app.get(
    '/api/v1/evidence/:sha256',
    {
      config: { access: VIEWERS },
      schema: {
        tags,
        summary: 'A file of evidence',
        params: Params,
        response: {
          200: {
            content: {
              'image/jpeg': { schema: Type.Unsafe<Buffer>({ type: 'string', format: 'binary' }) },
              'video/mp4': { schema: Type.Unsafe<Buffer>({ type: 'string', format: 'binary' }) },
              'application/json': { schema: Type.Unknown() },
            },
          },
          304: Type.Null(),
          '4xx': ErrorAnswer,
          '5xx': ErrorAnswer,
        },
      },
    },
    async (request, reply) => {
      const { sha256 } = request.params;
      const etag = `"${sha256}"`;
      const file = await store.open(sha256);
      void reply.headers({ etag, 'cache-control': FOREVER, 'content-security-policy': FILE_POLICY });
      if (request.headers['if-none-match'] === etag) {
        file.stream.destroy();
        return reply.code(304).send(null);
      }
      void reply.headers({ 'content-type': file.mediaType, 'content-length': file.bytes });
      return reply.send(file.stream);
    },
  );
};

function eventOf({ headers }: FastifyRequest): string | null {
  const event = headers['x-gewu-event'];
  if (event === undefined) return null;
  if (typeof event !== 'string' || !new RegExp(ID_PATTERN).test(event))
    throw new GewuError('GEWU_REQUEST_INVALID', 'x-gewu-event is not the id of an event');
  return event;
}

function offsetOf({ headers }: FastifyRequest): number {
  const text = headers['x-gewu-offset'] ?? '0';
  if (typeof text !== 'string' || !/^\d{1,9}$/.test(text))
    throw new GewuError('GEWU_REQUEST_INVALID', 'x-gewu-offset is not a number of bytes');
  return Number(text);
}
