import type { FastifyInstance } from 'fastify';

/** Nothing that we answer is a page, except /docs, which brings its own policy. */
const POLICY = "default-src 'none'; frame-ancestors 'none'";

export function securityHeaders(https: boolean): Record<string, string> {
  return {
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'content-security-policy': POLICY,
    'cache-control': 'no-store',
    ...(https ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  };
}

/** Every answer, refusals too. A route may set its own instead. */
export function installHeaders(app: FastifyInstance, https: boolean): void {
  const headers = securityHeaders(https);
  app.addHook('onRequest', async (_request, reply) => {
    void reply.headers(headers);
  });
}
