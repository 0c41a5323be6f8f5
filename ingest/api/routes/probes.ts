import { Type } from 'typebox';
import { OPEN, VIEWERS } from '../auth/mod.ts';
import { ErrorAnswer, strict } from '../schemas.ts';
import type { Route } from './mod.ts';

const Ready = Type.Object(
  {
    ready: Type.Boolean(),
    notReady: Type.Array(Type.Object({ name: Type.String(), code: Type.String() }, strict)),
  },
  strict,
);

/** What machines ask: is it alive, is it ready, how does it do. */
export const probes: Route = (app, { readiness, metrics, config }) => {
  const tags = ['probes'];
  app.get(
    '/healthz',
    {
      config: { access: OPEN },
      schema: { tags, summary: 'The process answers', response: { 200: Type.Object({ alive: Type.Literal(true) }, strict) } },
    },
    async () => ({ alive: true as const }),
  );
  app.get(
    '/readyz',
    {
      config: { access: OPEN },
      schema: {
        tags,
        summary: 'Everything that the centre needs is there; names what is not',
        response: { 200: Ready, 503: Ready },
      },
    },
    async (_request, reply) => {
      const report = await readiness.report();
      return reply.code(report.ready ? 200 : 503).send(report);
    },
  );
  app.get(
    '/metrics',
    {
      config: { access: config.metricsOpen ? OPEN : VIEWERS },
      schema: {
        tags,
        summary: 'Prometheus metrics',
        response: { 200: { content: { 'text/plain': { schema: Type.String() } } }, '4xx': ErrorAnswer },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()),
  );
};
