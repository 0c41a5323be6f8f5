import { type Codec, decodeJson } from './codec.ts';
import { em310Tilt } from './em310_tilt.ts';
import { hydrantPush } from './hydrant_push.ts';
import { senml } from './senml.ts';

export {
  type Codec,
  type CodecFaultCode,
  type Decoded,
  decodeJson,
  isObject,
  type JsonObject,
  OBJECTS_MAX,
  type Refused,
} from './codec.ts';

/** Every codec. To add one: a file in this folder, a line here; vectors in test/grid/codecs.test.ts. */
export const CODECS: readonly Codec[] = [
  { name: 'json', binary: false, decode: (bytes) => decodeJson(bytes) },
  senml,
  hydrantPush,
  em310Tilt,
];
