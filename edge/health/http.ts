import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GewuError, type Metrics, type Service } from '#service/mod.ts';

export interface ProbeOptions {
  host: string;
  port: number;
  metrics: Metrics;
  /** Names what is not ready; empty when all is. */
  missing(): string[];
}

/** `/healthz`, `/readyz` and `/metrics` of an edge node. Without a token, therefore on loopback unless configured. */
export class ProbeServer implements Service {
  readonly #options: ProbeOptions;
  #server: Server | undefined;

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  /** After `start`. */
  get port(): number {
    return (this.#server?.address() as AddressInfo | null | undefined)?.port ?? 0;
  }

  async start(): Promise<void> {
    const { host, port, metrics, missing } = this.#options;
    const server = createServer((request, response) => {
      if (request.url === '/healthz') {
        response.end('ok\n');
      } else if (request.url === '/readyz') {
        const names = missing();
        response.writeHead(names.length === 0 ? 200 : 503, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ ready: names.length === 0, missing: names }));
      } else if (request.url === '/metrics') {
        metrics.metrics().then(
          (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
          () => response.writeHead(500).end(),
        );
      } else response.writeHead(404).end();
    });
    server.listen(port, host);
    await once(server, 'listening').catch((cause: NodeJS.ErrnoException) => {
      throw new GewuError(
        cause.code === 'EADDRINUSE' ? 'GEWU_PORT_IN_USE' : 'GEWU_CONFIG_INVALID',
        `${host}:${port}: ${cause.message}`,
        { cause },
      );
    });
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }
}
