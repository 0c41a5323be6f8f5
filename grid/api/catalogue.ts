import { type Static, Type } from 'typebox';
import { SEVERITIES } from '../events/mod.ts';
import { Condition } from '../rules/mod.ts';

const strict = { additionalProperties: false } as const;

const Class = Type.Object(
  { code: Type.String(), nameZh: Type.String(), nameEn: Type.String(), majorZh: Type.String(), majorEn: Type.String() },
  strict,
);
const Fault = Type.Object(
  {
    key: Type.String(),
    nameZh: Type.String(),
    nameEn: Type.String(),
    components: Type.Array(Type.String()),
    severity: Type.Enum(SEVERITIES),
  },
  strict,
);
const Field = Type.Object(
  {
    name: Type.String(),
    type: Type.String(),
    unit: Type.String(),
    min: Type.Optional(Type.Number()),
    max: Type.Optional(Type.Number()),
    labelZh: Type.String(),
    labelEn: Type.String(),
  },
  strict,
);
const Rule = Type.Object(
  { id: Type.String(), when: Type.Array(Condition), severity: Type.Enum(SEVERITIES) },
  { ...strict, description: 'as shipped for the kind; a site may replace it' },
);
const Kind = Type.Object(
  {
    kind: Type.String(),
    labelZh: Type.String(),
    labelEn: Type.String(),
    fields: Type.Array(Field),
    rules: Type.Array(Rule),
  },
  strict,
);
export const CatalogueAnswer = Type.Object(
  {
    components: Type.Array(Class),
    events: Type.Array(Class),
    faults: Type.Array(Fault),
    deviceKinds: Type.Array(Kind),
    transitions: Type.Array(Type.Object({ name: Type.String(), labelZh: Type.String(), labelEn: Type.String() }, strict), {
      description: 'steps of the case cycle, as timelines name them',
    }),
  },
  strict,
);
export type CatalogueAnswer = Static<typeof CatalogueAnswer>;
export type CatalogueKind = CatalogueAnswer['deviceKinds'][number];
