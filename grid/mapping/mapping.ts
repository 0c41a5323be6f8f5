import { type Static, Type } from 'typebox';
import { CODECS } from '../codecs/mod.ts';
import { DEVICE_KINDS } from '../devices/mod.ts';
import { PATH_PATTERN } from './path.ts';

const strict = { additionalProperties: false } as const;

const Path = () => Type.String({ pattern: PATH_PATTERN, maxLength: 512, description: 'like data.tilt' });

/** `name` is what it says, `factor` and `offset` what it does: value * factor + offset. */
export const CONVERSIONS = {
  'mV to V': { factor: 0.001, offset: 0 },
  'mA to A': { factor: 0.001, offset: 0 },
  'kW to W': { factor: 1000, offset: 0 },
  'kPa to MPa': { factor: 0.001, offset: 0 },
  'bar to MPa': { factor: 0.1, offset: 0 },
  'mm to m': { factor: 0.001, offset: 0 },
  'cm to m': { factor: 0.01, offset: 0 },
  'm3/h to L/s': { factor: 1 / 3.6, offset: 0 },
  'ratio to percent': { factor: 100, offset: 0 },
  'percent to ratio': { factor: 0.01, offset: 0 },
  'F to C': { factor: 5 / 9, offset: -160 / 9 },
} as const;
const CONVERSION_NAMES = Object.keys(CONVERSIONS) as (keyof typeof CONVERSIONS)[];

/** Where one of our fields comes from. In this order: `values`, or number, `convert`, `scale`, `offset`, `absolute`. */
export const MappedField = Type.Object(
  {
    path: Path(),
    /** Our value for a value of theirs, by its text. Any other leaves the field out, unless it is `required`. */
    values: Type.Optional(Type.Record(Type.String({ maxLength: 64 }), Type.Union([Type.Number(), Type.Boolean()]))),
    convert: Type.Optional(Type.Enum(CONVERSION_NAMES)),
    scale: Type.Optional(Type.Number()),
    offset: Type.Optional(Type.Number()),
    absolute: Type.Optional(Type.Boolean()),
    /** Where the payload says the unit: a sample of any other is refused. */
    unit: Type.Optional(Type.Object({ path: Path(), is: Type.String({ maxLength: 64 }) }, strict)),
    /** Without it the sample is refused. */
    required: Type.Optional(Type.Boolean()),
  },
  strict,
);
export type MappedField = Static<typeof MappedField>;

export const TIME_FORMATS = ['unix_s', 'unix_ms', 'iso8601', 'local'] as const;

/**
 * How payloads of devices that do not speak our format become readings. Data only: nothing in it is run.
 * Described in docs/mappings.md.
 */
export const Mapping = Type.Object(
  {
    version: Type.Literal(1),
    mapping: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', description: 'its name' }),
    from: Type.Object(
      {
        /** MQTT: `city/{place}/well/{device}`; a level in braces is a placeholder. */
        topic: Type.Optional(Type.String({ pattern: '^[^+#\\u0000]{1,512}$' })),
        /** HTTP push: `/push/hydrants`. */
        path: Type.Optional(Type.String({ pattern: '^/[A-Za-z0-9._~/-]{0,255}$' })),
      },
      strict,
    ),
    /** Of the devices; without it, a field of any kind may be named. */
    kind: Type.Optional(Type.Enum(DEVICE_KINDS.map((k) => k.kind))),
    codec: Type.Enum(CODECS.map((c) => c.name)),
    /** A binary codec's bytes, where the payload is a JSON envelope of a network server. */
    frame: Type.Optional(Type.Object({ path: Path(), encoding: Type.Enum(['base64', 'hex']) }, strict)),
    /** An array in the payload whose elements are the samples. */
    each: Type.Optional(Path()),
    device: Type.Object(
      {
        /** Either: a placeholder of the topic, or a path in the payload. */
        placeholder: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_]{1,64}$' })),
        path: Type.Optional(Path()),
        /** Our id for theirs. Those that are not listed go by `strip` and `prefix`. */
        table: Type.Optional(Type.Record(Type.String({ maxLength: 128 }), Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }))),
        /** Taken away at its start and end, where it is there. */
        strip: Type.Optional(
          Type.Object(
            { start: Type.Optional(Type.String({ maxLength: 128 })), end: Type.Optional(Type.String({ maxLength: 128 })) },
            strict,
          ),
        ),
        /** Put before what is left. */
        prefix: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,32}$' })),
      },
      strict,
    ),
    time: Type.Optional(
      Type.Object(
        {
          path: Path(),
          format: Type.Enum(TIME_FORMATS),
          /** IANA name, for `local`. */
          timeZone: Type.Optional(Type.String({ maxLength: 64 })),
        },
        strict,
      ),
    ),
    seq: Type.Optional(Type.Object({ path: Path() }, strict)),
    /** Of the device, as its maker writes it: text or a number. */
    firmware: Type.Optional(Type.Object({ path: Path() }, strict)),
    /** By our name for it. */
    fields: Type.Record(Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }), MappedField, { minProperties: 1, maxProperties: 64 }),
    /** Fields that the payload does not hold and are always the same. */
    constants: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }), Type.Union([Type.Number(), Type.Boolean()])),
    ),
    /** A payload with anything that nothing here names is refused. */
    strict: Type.Optional(Type.Boolean()),
  },
  strict,
);
export type Mapping = Static<typeof Mapping>;
