import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { GewuError } from '#service/mod.ts';
import { type Access, accessText } from '../auth/mod.ts';

const DOCS = '/docs';
const DOCS_ACCESS: Access = { technical: 'viewer', docs: true };
/** The page's own scripts only; Swagger UI sets styles inline. */
const DOCS_POLICY =
  "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; img-src 'self' data:; object-src 'none'; style-src 'self' 'unsafe-inline'";

/** The document at /docs/json, made of the routes' own schemas, and a page to read it at /docs. Call it before the routes are added. */
export async function installOpenApi(app: FastifyInstance): Promise<void> {
  app.addHook('onRoute', (route) => {
    const config = route.config ?? {};
    if (route.url === DOCS || route.url.startsWith(`${DOCS}/`)) config.access = DOCS_ACCESS;
    if (config.access === undefined) throw new GewuError('GEWU_INTERNAL', `${route.method} ${route.url} has no access rule`);
    route.config = config;
    if (route.schema && !route.schema.hide) route.schema = { ...route.schema, ...documented(route.schema, config.access) };
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Gewu 格物',
        description: 'The centre: readings, events, cases, devices. Times are UTC ms, positions WGS-84.',
        version: '1',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer' },
          edge: { type: 'http', scheme: 'basic', description: 'id and password of an edge' },
        },
      },
    },
  });
  await app.register(swaggerUi, {
    routePrefix: DOCS,
    staticCSP: DOCS_POLICY,
    uiConfig: { docExpansion: 'list', persistAuthorization: false, validatorUrl: null },
  });
}

/** Who may, as people read it and as a client reads it. */
function documented(schema: { description?: string }, access: Access) {
  if ('open' in access) return { security: [] };
  const security: Record<string, string[]>[] = [{ token: [] }];
  if (access.edges) security.push({ edge: [] });
  return { description: `${schema.description ?? ''}\n\nFor: ${accessText(access)}.`.trim(), security };
}
