import { type Static, Type } from 'typebox';
import { Id } from '../ids.ts';

/** A desired state as JSON, bytes. Measured: 200 cameras with 6 zones of 12 corners and 3 rules each are 1.5 MB. */
export const DESIRED_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Centre to edge, `down/config`: there is a revision of your desired state. The document itself is fetched from the API and has
 * this hash: a large site does not fit into a message. Sent when a revision is set, and again whenever the edge's own report says
 * that it has not judged it yet; in any order, any number of times.
 */
export const ConfigNotice = Type.Object(
  {
    edge: Id(),
    revision: Type.Integer({ minimum: 1 }),
    /** Of the document, hex. */
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    bytes: Type.Integer({ minimum: 2, maximum: DESIRED_BYTES_MAX }),
  },
  { additionalProperties: false },
);
export type ConfigNotice = Static<typeof ConfigNotice>;

/** Path of a revision's document, for the edge that it is for. */
export const desiredDocumentPath = (edge: string, revision: number) =>
  `api/v1/edges/${edge}/desired/revisions/${revision}/document`;
