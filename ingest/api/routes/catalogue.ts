import { CatalogueAnswer } from '#grid/api/mod.ts';
import { COMPONENT_CLASSES, DEVICE_KINDS, EVENT_CLASSES, FAULTS } from '#grid/mod.ts';
import { TRANSITIONS } from '../../cases/mod.ts';
import { VIEWERS } from '../auth/mod.ts';
import { answers } from '../schemas.ts';
import type { Route } from './mod.ts';

/** Classes, faults and device kinds with the names that people read. */
export const catalogue: Route = (app) => {
  app.get(
    '/api/v1/catalogue',
    {
      config: { access: VIEWERS },
      schema: {
        tags: ['catalogue'],
        summary: 'Classes of components and events, faults, device kinds',
        response: answers(CatalogueAnswer),
      },
    },
    async () => CATALOGUE,
  );
};

const CATALOGUE: CatalogueAnswer = {
  transitions: TRANSITIONS.map(({ name, labelZh, labelEn }) => ({ name, labelZh, labelEn })),
  components: [...COMPONENT_CLASSES.values()],
  events: [...EVENT_CLASSES.values()],
  faults: Object.entries(FAULTS).map(([key, { nameZh, nameEn, components, severity }]) => ({
    key,
    nameZh,
    nameEn,
    components: [...components],
    severity,
  })),
  deviceKinds: DEVICE_KINDS.map(({ kind, labelZh, labelEn, fields, rules }) => ({
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
    rules: rules.map(({ id, when, severity }) => ({ id, when: [...when], severity })),
  })),
};
