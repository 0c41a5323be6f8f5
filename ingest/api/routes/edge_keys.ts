import { Type } from 'typebox';
import { Id } from '#grid/mod.ts';
import { GewuError } from '#service/mod.ts';
import { ADMINISTRATORS, accountOf, VIEWERS } from '../auth/mod.ts';
import { answers, EdgeKeyAnswer, listOf, Sha256, strict } from '../schemas.ts';
import type { Route } from './mod.ts';

const EdgeParams = Type.Object({ edge: Id() }, strict);
const KeyParams = Type.Object({ edge: Id(), keyId: Sha256 }, strict);
const Query = Type.Object({ edge: Type.Optional(Id()) }, strict);
const Key = Type.Object({ publicKey: Type.String({ pattern: '^[A-Za-z0-9+/]{43}=$', description: 'Ed25519, base64' }) }, strict);

/** The keys that edges sign their evidence with. */
export const edgeKeys: Route = (app, { edgeKeys: keys }) => {
  const tags = ['evidence'];
  app.get(
    '/api/v1/edge-keys',
    {
      config: { access: VIEWERS },
      schema: { tags, summary: 'Keys that edges sign with', querystring: Query, response: answers(listOf(EdgeKeyAnswer)) },
    },
    async (request) => ({ items: await keys.list(request.query.edge) }),
  );
  app.put(
    '/api/v1/edge-keys/:edge',
    {
      config: { access: { edges: true } },
      schema: {
        tags,
        summary: 'An edge shows its key',
        description: 'The first one is pinned. Another one is refused with GEWU_NODE_KEY_CHANGED and waits for an administrator.',
        params: EdgeParams,
        body: Key,
        response: answers(EdgeKeyAnswer),
      },
    },
    (request) => {
      const { edge } = request.params;
      if (request.edge !== edge) throw new GewuError('GEWU_FORBIDDEN', `${request.edge} is not ${edge}`);
      return keys.register(edge, request.body.publicKey);
    },
  );
  app.post(
    '/api/v1/edge-keys/:edge/:keyId/accept',
    {
      config: { access: ADMINISTRATORS },
      schema: {
        tags,
        summary: 'A key that waits becomes the one that counts; the one before is retired',
        description: 'Compare the fingerprint with what `gewu evidence key` prints at the edge.',
        params: KeyParams,
        response: answers(EdgeKeyAnswer),
      },
    },
    (request) => keys.accept(request.params.edge, request.params.keyId, accountOf(request)),
  );
};
