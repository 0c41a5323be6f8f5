import { Type } from 'typebox';
import { type BaseMap, BaseMapsAnswer } from '#grid/api/mod.ts';
import { GewuError } from '#service/mod.ts';
import { PMTILES_ID, readRange } from '../../basemap/mod.ts';
import { VIEWERS } from '../auth/mod.ts';
import { errorBody } from '../http/errors.ts';
import { answers, ErrorAnswer } from '../schemas.ts';
import type { Route } from './mod.ts';

const PMTILES_PATH = '/api/v1/map/pmtiles';
const Bytes = { content: { 'application/octet-stream': { schema: Type.Unsafe<Buffer>({ type: 'string', format: 'binary' }) } } };

/** Base maps: which there are, and the bytes of the one on the centre's disk. */
export const map: Route = (app, { baseMap: { pmtiles, tiles } }) => {
  const tags = ['map'];
  const config = { access: VIEWERS };
  app.get(
    '/api/v1/map',
    { config, schema: { tags, summary: 'What may lie under the unit grids', response: answers(BaseMapsAnswer) } },
    async () => {
      const onDisk: BaseMap[] = [];
      if (pmtiles !== undefined) {
        const { name, attribution } = pmtiles;
        onDisk.push({ kind: 'pmtiles', id: PMTILES_ID, name, attribution, url: PMTILES_PATH });
      }
      return { items: [...onDisk, ...tiles.map((source) => ({ kind: 'tiles' as const, ...source }))] };
    },
  );
  app.get(
    PMTILES_PATH,
    {
      exposeHeadRoute: false,
      config,
      schema: {
        tags,
        summary: 'Part of the PMTiles file, by `Range: bytes=N-M`',
        response: { 206: Bytes, '4xx': ErrorAnswer, '5xx': ErrorAnswer },
      },
    },
    async (request, reply) => {
      if (pmtiles === undefined) throw new GewuError('GEWU_NOT_FOUND', 'no map.pmtiles is configured');
      const part = await readRange(pmtiles.file, request.headers.range);
      if (part.bytes === null) {
        void reply.header('content-range', `bytes */${part.fileBytes}`);
        return reply.code(416).send(errorBody('GEWU_REQUEST_INVALID', 'the file ends before') as never);
      }
      const { bytes, from, fileBytes, etag } = part;
      void reply.headers({
        'content-type': 'application/octet-stream',
        'content-range': `bytes ${from}-${from + bytes.length - 1}/${fileBytes}`,
        etag,
        // Of one account's browser; a file that was replaced is told by its tag.
        'cache-control': 'private, max-age=3600',
      });
      return reply.code(206).send(bytes as never);
    },
  );
};
