import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { type ConfigMistake, ERRORS, type ErrorCode, GewuError, type Log } from '#service/mod.ts';

/** What every refusal looks like. */
export interface ErrorBody {
  error: { code: ErrorCode; message: string; hint: string; mistakes?: readonly ConfigMistake[] };
}

export function errorBody(code: ErrorCode, message: string, mistakes: readonly ConfigMistake[] = []): ErrorBody {
  return { error: { code, message, hint: ERRORS[code].hint, ...(mistakes.length === 0 ? {} : { mistakes }) } };
}

/** A body that breaks its schema, with every mistake by key, so that a form can show each where it was made. */
export class BodyError extends GewuError {
  readonly mistakes: readonly ConfigMistake[];
  constructor(message: string, mistakes: readonly ConfigMistake[]) {
    super('GEWU_REQUEST_INVALID', message);
    this.mistakes = mistakes;
  }
}

/** Any error as one of the catalogue. Fastify's own become the nearest; what is left is a fault of ours. */
export function toGewuError(error: unknown): GewuError {
  if (error instanceof GewuError) return error;
  const { statusCode = 500, message = '' } = error as { statusCode?: number; message?: string };
  if (statusCode === 413) return new GewuError('GEWU_PAYLOAD_TOO_LARGE', message);
  if (statusCode === 404) return new GewuError('GEWU_NOT_FOUND', message);
  if (statusCode >= 400 && statusCode < 500) return new GewuError('GEWU_REQUEST_INVALID', message);
  return new GewuError('GEWU_INTERNAL', 'something went wrong here; the log says what', { cause: error });
}

/** Every answer that is no success has a code and a hint, and says nothing of our inside. */
export function installErrors(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((error, request, reply) => {
    const told = toGewuError(error);
    if (told.status >= 500 && told.remedy === 'fatal')
      log.error({ err: told.cause ?? told, method: request.method, route: request.routeOptions.url }, 'a request failed');
    const message = told.remedy === 'fatal' ? 'something went wrong here; the log says what' : told.message;
    const { mistakes } = told as { mistakes?: readonly ConfigMistake[] };
    return reply.code(told.status).send(errorBody(told.code, message, mistakes));
  });
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send(errorBody('GEWU_NOT_FOUND', `there is no ${request.method} ${request.url.slice(0, 200)}`)),
  );
}

/** What is no HTTP at all. */
export function onClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(errorBody('GEWU_REQUEST_INVALID', `not a request that can be read (${error.code ?? 'unknown'})`));
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
