import {
  createCellIndex,
  deviceKind,
  eventClass,
  fault,
  NEAR_CELL_M,
  parseCellCode,
  parseComponentCode,
  type Raises,
  type Site,
  type SiteCamera,
  type ThresholdRule,
} from '#grid/mod.ts';
import type { ConfigMistake } from '#service/mod.ts';

/** What a schema cannot say about a site: references, codes, geometry. */
export function siteMistakes(site: Site): ConfigMistake[] {
  return [
    ...cellMistakes(site),
    ...idMistakes(site),
    ...componentMistakes(site),
    ...deviceMistakes(site),
    ...gatewayMistakes(site),
    ...cameraMistakes(site),
    ...zoneMistakes(site),
  ];
}

function cellMistakes({ cells, timeZone }: Site): ConfigMistake[] {
  const codes = cells.flatMap(({ code }, i) => {
    const parsed = parseCellCode(code);
    return parsed.ok ? [] : [{ key: `cells.${i}.code`, value: code, message: `not a unit grid code: ${parsed.fault}` }];
  });
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return codes;
  } catch {
    return [...codes, { key: 'timeZone', value: timeZone, message: 'not an IANA time zone' }];
  }
}

/** Devices, gateways and cameras share one space of names. */
function idMistakes({ devices, gateways, cameras, cells }: Site): ConfigMistake[] {
  const seen = new Set<string>();
  const twice = (list: string, key: string, ids: readonly string[]) =>
    ids.flatMap((id, i) => {
      const again = seen.has(id);
      seen.add(id);
      return again ? [{ key: `${list}.${i}.${key}`, value: id, message: 'stands here twice' }] : [];
    });
  return [
    ...twice(
      'cells',
      'code',
      cells.map((c) => c.code),
    ),
    ...twice(
      'devices',
      'id',
      devices.map((d) => d.id),
    ),
    ...twice(
      'gateways',
      'id',
      gateways.map((g) => g.id),
    ),
    ...twice(
      'cameras',
      'id',
      cameras.map((c) => c.id),
    ),
  ];
}

function componentMistakes({ components, cameras, devices }: Site): ConfigMistake[] {
  const check = (key: string, code: string | undefined) => {
    if (code === undefined) return [];
    const parsed = parseComponentCode(code);
    return parsed.ok ? [] : [{ key, value: code, message: `not a component code: ${parsed.fault}` }];
  };
  return [
    ...components.flatMap(({ code }, i) => check(`components.${i}.code`, code)),
    ...devices.flatMap(({ component }, i) => check(`devices.${i}.component`, component)),
    ...cameras.flatMap(({ component }, i) => check(`cameras.${i}.component`, component)),
  ];
}

function deviceMistakes({ devices, cells }: Site): ConfigMistake[] {
  const index = createCellIndex(cells);
  return devices.flatMap((device, i): ConfigMistake[] => {
    const at = (key: string, value: unknown, message: string) => ({ key: `devices.${i}.${key}`, value, message });
    const kind = deviceKind(device.kind);
    const cell = index.cellNear(device, NEAR_CELL_M);
    const mistakes: ConfigMistake[] = [];
    if (kind === undefined) mistakes.push(at('kind', device.kind, 'there is no such kind of device'));
    else if (!kind.componentClasses.includes(device.component.slice(6, 10)))
      mistakes.push(
        at('component', device.component, `a ${device.kind} sits on a component of class ${kind.componentClasses.join(', ')}`),
      );
    if (cell === null)
      mistakes.push(at('lon', device.lon, `the position is more than ${NEAR_CELL_M} m away from every unit grid of the site`));
    else if (cell.slice(0, 6) !== device.component.slice(0, 6))
      mistakes.push(at('component', device.component, `its division is not that of its unit grid ${cell}`));
    const rules = Object.entries(device.rules ?? {});
    return [
      ...mistakes,
      ...rules.flatMap(([id, rule]) => (rule === false ? [] : ruleMistakes(`devices.${i}.rules.${id}`, id, device.kind, rule))),
    ];
  });
}

/** State is kept by rule id, so that two rules of one device must not share one. */
function ruleMistakes(key: string, id: string, kindName: string, rule: ThresholdRule): ConfigMistake[] {
  const named = rule.id === id ? [] : [{ key: `${key}.id`, value: rule.id, message: `stands under the name ${id}` }];
  return [...named, ...thresholdMistakes(key, kindName, rule)];
}

function thresholdMistakes(key: string, kindName: string, rule: ThresholdRule): ConfigMistake[] {
  const fields = deviceKind(kindName)?.fields ?? {};
  const conditions = [...rule.when, ...rule.clear.when].flatMap((c): ConfigMistake[] => {
    const spec = Object.hasOwn(fields, c.field) ? fields[c.field] : undefined;
    if (spec === undefined) return [{ key, value: c.field, message: `${kindName} has no such field` }];
    return typeof c.value === spec.type ? [] : [{ key, value: c.value, message: `${c.field} is a ${spec.type}` }];
  });
  return [...conditions, ...raisesMistakes(key, rule.raises)];
}

function raisesMistakes(key: string, raises: Raises): ConfigMistake[] {
  if ('fault' in raises)
    return fault(raises.fault) ? [] : [{ key: `${key}.raises.fault`, value: raises.fault, message: 'there is no such fault' }];
  return eventClass(raises.event)
    ? []
    : [{ key: `${key}.raises.event`, value: raises.event, message: 'there is no such event class' }];
}

function gatewayMistakes({ gateways, devices }: Site): ConfigMistake[] {
  const known = new Set(devices.map((d) => d.id));
  return gateways.flatMap((gateway, i) =>
    gateway.devices.flatMap((id, j) =>
      known.has(id) ? [] : [{ key: `gateways.${i}.devices.${j}`, value: id, message: 'there is no such device' }],
    ),
  );
}

function cameraMistakes({ cameras, cells }: Site): ConfigMistake[] {
  const index = createCellIndex(cells);
  return cameras.flatMap((camera, i) => {
    const outside = camera.calibration.points.every((p) => index.cellNear(p, NEAR_CELL_M) === null);
    const half = (camera.username === undefined) !== (camera.password === undefined);
    return [
      ...(outside
        ? [{ key: `cameras.${i}.calibration`, value: camera.id, message: 'no calibration point lies in a unit grid of the site' }]
        : []),
      ...(half ? [{ key: `cameras.${i}.username`, value: camera.username, message: 'username and password go together' }] : []),
    ];
  });
}

function zoneMistakes({ cameras }: Site): ConfigMistake[] {
  const zonesOf = (camera: SiteCamera, i: number) =>
    camera.zones.flatMap((zone, j) =>
      zone.rules.flatMap((rule, k) => {
        const key = `cameras.${i}.zones.${j}.rules.${k}`;
        // People are never an event class.
        const person =
          rule.detects === 'person'
            ? [{ key: `${key}.detects`, value: rule.detects, message: 'people are never an event class' }]
            : [];
        return [...person, ...raisesMistakes(key, rule.raises)];
      }),
    );
  return cameras.flatMap(zonesOf);
}
