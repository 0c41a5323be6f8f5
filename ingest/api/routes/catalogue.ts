import { Type } from 'typebox';
import { COMPONENT_CLASSES, DEVICE_KINDS, EVENT_CLASSES, FAULTS, SEVERITIES } from '#grid/mod.ts';
import { VIEWERS } from '../auth/mod.ts';
import { answers, strict } from '../schemas.ts';
import type { Route } from './mod.ts';

const Class = Type.Object(
  {
    code: Type.String(),
    nameZh: Type.String(),
    nameEn: Type.String(),
    majorZh: Type.String(),
    majorEn: Type.String(),
  },
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
const Kind = Type.Object(
  { kind: Type.String(), labelZh: Type.String(), labelEn: Type.String(), fields: Type.Array(Field) },
  strict,
);
const Catalogue = Type.Object(
  { components: Type.Array(Class), events: Type.Array(Class), faults: Type.Array(Fault), deviceKinds: Type.Array(Kind) },
  strict,
);

/** Classes, faults and device kinds with the names that people read. */
export const catalogue: Route = (app) => {
  app.get(
    '/api/v1/catalogue',
    {
      config: { access: VIEWERS },
      schema: {
        tags: ['catalogue'],
        summary: 'Classes of components and events, faults, device kinds',
        response: answers(Catalogue),
      },
    },
    async () => CATALOGUE,
  );
};

const CATALOGUE = {
  components: [...COMPONENT_CLASSES.values()],
  events: [...EVENT_CLASSES.values()],
  faults: Object.entries(FAULTS).map(([key, { nameZh, nameEn, components, severity }]) => ({
    key,
    nameZh,
    nameEn,
    components: [...components],
    severity,
  })),
  deviceKinds: DEVICE_KINDS.map(({ kind, labelZh, labelEn, fields }) => ({
    kind,
    labelZh,
    labelEn,
    fields: Object.entries(fields).map(([name, { type, unit, min, max, labelZh: zh, labelEn: en }]) => ({
      name,
      type,
      unit,
      ...(min === undefined ? {} : { min }),
      ...(max === undefined ? {} : { max }),
      labelZh: zh,
      labelEn: en,
    })),
  })),
};
