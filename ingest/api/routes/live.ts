import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { WebSocket } from 'ws';
import { GRANT_KINDS } from '#grid/mod.ts';
import {
  LIVE_EDGE_PATH,
  LIVE_MESSAGE_BYTES_MAX,
  LIVE_STREAM_HEADER,
  LIVE_STREAM_PATTERN,
  LIVE_VIEWER_PATH,
} from '#grid/wire/mod.ts';
import { GewuError, isGewuError } from '#service/mod.ts';
import { farewell, GREETING_BYTES_MAX, Greetings } from '../../live/mod.ts';
import { accountOf, credentialsOf, fromOwnPage, OPEN, VIEWERS } from '../auth/mod.ts';
import { SocketDoor } from '../http/upgrade.ts';
import { answers, ErrorAnswer, IdParams, LiveAnswer } from '../schemas.ts';
import { lastPicture } from '../snapshots.ts';
import type { Route } from './mod.ts';

const streamExpression = new RegExp(LIVE_STREAM_PATTERN);

/** Live views: what can be seen, the sockets of viewers and those of edges. docs/live.md */
export const live: Route = (app, { live: views, pictures, cases, evidence, devices, grants, authenticator, config, log }) => {
  const [viewers, edges] = [
    new SocketDoor({ bytesMax: GREETING_BYTES_MAX }),
    new SocketDoor({ bytesMax: LIVE_MESSAGE_BYTES_MAX }),
  ];
  const greetings = new Greetings();

  app.get(
    '/api/v1/cameras/:id/live',
    {
      config: { access: VIEWERS },
      schema: {
        tags: ['live'],
        summary: 'How a camera can be looked at now',
        description: 'Masked for everybody; raw with a grant (`POST /api/v1/grants`). The socket is described in docs/live.md.',
        params: IdParams,
        response: answers(LiveAnswer),
      },
    },
    async (request) => {
      const account = accountOf(request);
      const { id } = await devices.camera(request.params.id);
      const { items } = await grants.list({ holder: account.id, kind: 'raw-view', subject: id, active: true });
      const raw: readonly string[] = GRANT_KINDS['raw-view'].roles;
      const last = await lastPicture(id, { cases, evidence, pictures });
      return {
        camera: id,
        socket: LIVE_VIEWER_PATH,
        viewers: views.viewersOf(id),
        snapshotAt: last?.takenAt ?? null,
        raw: {
          mayAsk: account.roles.some((role) => raw.includes(role)),
          grants: items.map((g) => ({ id: g.id, purpose: g.purpose, endsAt: g.endsAt })),
        },
      };
    },
  );

  app.get(
    '/api/v1/cameras/:id/snapshot',
    {
      config: { access: VIEWERS },
      schema: {
        tags: ['live'],
        summary: 'The last masked picture of a camera, however old',
        description: 'Of a live view, or of an event. `last-modified` says when it was taken. 404: there is none.',
        params: IdParams,
        response: {
          200: { content: { 'image/jpeg': { schema: Type.Unsafe<Buffer>({ type: 'string', format: 'binary' }) } } },
          '4xx': ErrorAnswer,
          '5xx': ErrorAnswer,
        },
      },
    },
    async (request, reply) => {
      const { id } = await devices.camera(request.params.id);
      const last = await lastPicture(id, { cases, evidence, pictures });
      if (last === null) throw new GewuError('GEWU_NOT_FOUND', `camera ${id} has sent no picture yet`);
      const headers = { 'content-type': 'image/jpeg', 'cache-control': 'private, no-cache' };
      void reply.headers({ ...headers, 'last-modified': new Date(last.takenAt).toUTCString() });
      return reply.send(await last.read());
    },
  );

  // Who looks says in the first message who he is: a browser cannot set a header here.
  app.get(
    LIVE_VIEWER_PATH,
    { exposeHeadRoute: false, config: { access: OPEN }, schema: { hide: true } },
    async (request, reply) => {
      checkOrigin(request, config.origins);
      greetings.check(request.ip);
      views.check();
      const socket = await viewers.open(request, reply);
      await greet(socket, request).catch((error: unknown) => refuse(socket, error));
    },
  );

  async function greet(socket: WebSocket, request: FastifyRequest): Promise<void> {
    const open = await greetings.of(socket, request.ip);
    const shown = credentialsOf(request);
    const credentials = open.token === undefined ? shown : { ...shown, authorization: `Bearer ${open.token}` };
    const account = await authenticator.admit(VIEWERS, credentials);
    if (typeof account === 'string') throw new GewuError('GEWU_FORBIDDEN', 'an edge does not look');
    await views.open({ socket, account, open, stillValid: () => authenticator.stillValid(credentials) });
  }

  function refuse(socket: WebSocket, error: unknown): void {
    const told = isGewuError(error) ? error : new GewuError('GEWU_INTERNAL', 'something went wrong here; the log says what');
    if (told !== error) log.error({ err: error }, 'live: a viewer was not let in');
    farewell(socket, told, told.remedy === 'retry' ? 'retry' : 'reject');
  }

  app.get(
    LIVE_EDGE_PATH,
    { exposeHeadRoute: false, config: { access: { edges: true } }, schema: { hide: true } },
    async (request, reply) => {
      const stream = request.headers[LIVE_STREAM_HEADER];
      if (typeof stream !== 'string' || !streamExpression.test(stream))
        throw new GewuError('GEWU_REQUEST_INVALID', `${LIVE_STREAM_HEADER} names no stream`);
      const relay = views.relayOf(request.edge ?? '', stream);
      relay.attach(await edges.open(request, reply));
    },
  );
};

/** A page of another site must not look with the session of who reads it. Programs send no origin. */
function checkOrigin(request: FastifyRequest, allowed: readonly string[]): void {
  const { origin } = request.headers;
  if (fromOwnPage(request) || (origin !== undefined && allowed.includes(origin))) return;
  throw new GewuError('GEWU_FORBIDDEN', `pages of ${origin?.slice(0, 100)} may not look here: api.origins`);
}
