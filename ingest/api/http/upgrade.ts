import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type WebSocket, WebSocketServer } from 'ws';
import { GewuError } from '#service/mod.ts';

interface Upgrade {
  socket: Socket;
  head: Buffer;
}
const upgrades = new WeakMap<IncomingMessage, Upgrade>();

/**
 * A request that wants to become a WebSocket goes through the hooks and routes of every other one first, so that roles, limits and
 * refusals are the same. A route takes it over with a `SocketDoor`; one that just answers ends the connection.
 */
export function installUpgrades(app: FastifyInstance): void {
  app.server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    upgrades.set(request, { socket, head });
    // Node takes its own listener away before it hands the socket over.
    socket.on('error', () => socket.destroy());
    const response = new ServerResponse(request);
    response.assignSocket(socket);
    app.routing(request, response);
  });
  app.addHook('onResponse', async ({ raw }) => {
    upgrades.get(raw)?.socket.end();
  });
}

/** Where requests become WebSockets: no compression, messages up to `bytesMax`. */
export class SocketDoor {
  readonly #server: WebSocketServer;

  constructor({ bytesMax }: { bytesMax: number }) {
    this.#server = new WebSocketServer({ noServer: true, maxPayload: bytesMax, perMessageDeflate: false, clientTracking: false });
  }

  /**
   * Takes the reply over. The socket has a listener for errors: a frame that breaks the protocol or is too large closes it.
   * Throws GEWU_REQUEST_INVALID when the request does not want to become one.
   */
  async open(request: FastifyRequest, reply: FastifyReply): Promise<WebSocket> {
    const upgrade = upgrades.get(request.raw);
    if (upgrade === undefined || request.headers.upgrade?.toLowerCase() !== 'websocket')
      throw new GewuError('GEWU_REQUEST_INVALID', 'this address speaks WebSocket only');
    reply.hijack();
    return new Promise((resolve) => {
      this.#server.handleUpgrade(request.raw, upgrade.socket, upgrade.head, (socket) => {
        // ws closes with the fitting code by itself; nobody needs to hear more.
        socket.on('error', () => {});
        resolve(socket);
      });
    });
  }
}
