import { eventClass, fault } from '../catalogue/mod.ts';
import { createCellIndex, NEAR_CELL_M } from '../cells/mod.ts';
import { parseCellCode, parseComponentCode } from '../codes/mod.ts';
import { deviceKind } from '../devices/mod.ts';
import { fitGround } from '../ground/mod.ts';
import {
  type Calendars,
  type MissingRule,
  PLAUSIBILITY_CHECKS,
  type Raises,
  type ThresholdRule,
  type ZoneRule,
} from '../rules/mod.ts';
import type { Site, SiteCamera } from './site.ts';
import { calendarMistakes, windowMistakes } from './window_mistakes.ts';

/** One mistake in a site: where, what stands there, what should. */
export interface SiteMistake {
  key: string;
  value: unknown;
  message: string;
}

/** What a schema cannot say about a site: references, codes, geometry. */
export function siteMistakes(site: Site): SiteMistake[] {
  return [
    ...cellMistakes(site),
    ...idMistakes(site),
    ...componentMistakes(site),
    ...deviceMistakes(site),
    ...gatewayMistakes(site),
    ...cameraMistakes(site),
    ...zoneMistakes(site),
    ...calendarMistakes(site),
    ...groupMistakes(site),
    ...maintenanceMistakes(site),
  ];
}

function cellMistakes({ cells, timeZone }: Site): SiteMistake[] {
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

/** Devices, groups, gateways and cameras share one space of names. */
function idMistakes({ devices, groups = [], gateways, cameras, cells }: Site): SiteMistake[] {
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
      'groups',
      'id',
      groups.map((g) => g.id),
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

function componentMistakes({ components, cameras, devices, groups = [] }: Site): SiteMistake[] {
  const check = (key: string, code: string | undefined) => {
    if (code === undefined) return [];
    const parsed = parseComponentCode(code);
    return parsed.ok ? [] : [{ key, value: code, message: `not a component code: ${parsed.fault}` }];
  };
  return [
    ...components.flatMap(({ code }, i) => check(`components.${i}.code`, code)),
    ...devices.flatMap(({ component }, i) => check(`devices.${i}.component`, component)),
    ...groups.flatMap(({ component }, i) => check(`groups.${i}.component`, component)),
    ...cameras.flatMap(({ component }, i) => check(`cameras.${i}.component`, component)),
  ];
}

function deviceMistakes({ devices, cells }: Site): SiteMistake[] {
  const index = createCellIndex(cells);
  return devices.flatMap((device, i): SiteMistake[] => {
    const at = (key: string, value: unknown, message: string) => ({ key: `devices.${i}.${key}`, value, message });
    const kind = deviceKind(device.kind);
    const cell = index.cellNear(device, NEAR_CELL_M);
    const mistakes: SiteMistake[] = [];
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
function ruleMistakes(key: string, id: string, kindName: string, rule: ThresholdRule | MissingRule): SiteMistake[] {
  const named = rule.id === id ? [] : [{ key: `${key}.id`, value: rule.id, message: `stands under the name ${id}` }];
  const absence = deviceKind(kindName)?.absence.id;
  if ('missing' in rule) {
    const other = id === absence ? [] : [{ key, value: id, message: `silence is the rule ${absence}` }];
    return [...named, ...other, ...raisesMistakes(key, rule.raises)];
  }
  const ours =
    id === absence || RESERVED_RULES.includes(id) ? [{ key, value: id, message: 'can be switched off, not replaced' }] : [];
  return [...named, ...ours, ...thresholdMistakes(key, kindName, rule)];
}

/** Rules that the engine brings itself. */
const RESERVED_RULES: readonly string[] = [...PLAUSIBILITY_CHECKS, 'unstable'];

function thresholdMistakes(key: string, kindName: string, rule: ThresholdRule): SiteMistake[] {
  const fields = deviceKind(kindName)?.fields ?? {};
  const conditions = [...rule.when, ...rule.clear.when].flatMap((c): SiteMistake[] => {
    const spec = Object.hasOwn(fields, c.field) ? fields[c.field] : undefined;
    if (spec === undefined) return [{ key, value: c.field, message: `${kindName} has no such field` }];
    return typeof c.value === spec.type ? [] : [{ key, value: c.value, message: `${c.field} is a ${spec.type}` }];
  });
  const { samples, of = samples } = rule.confirm;
  const confirm = of < samples ? [{ key: `${key}.confirm.of`, value: of, message: `${samples} samples are wanted of it` }] : [];
  return [...conditions, ...confirm, ...raisesMistakes(key, rule.raises)];
}

function raisesMistakes(key: string, raises: Raises): SiteMistake[] {
  if ('fault' in raises)
    return fault(raises.fault) ? [] : [{ key: `${key}.raises.fault`, value: raises.fault, message: 'there is no such fault' }];
  return eventClass(raises.event)
    ? []
    : [{ key: `${key}.raises.event`, value: raises.event, message: 'there is no such event class' }];
}

function gatewayMistakes({ gateways, devices }: Site): SiteMistake[] {
  const known = new Set(devices.map((d) => d.id));
  return gateways.flatMap((gateway, i) =>
    gateway.devices.flatMap((id, j) =>
      known.has(id) ? [] : [{ key: `gateways.${i}.devices.${j}`, value: id, message: 'there is no such device' }],
    ),
  );
}

function cameraMistakes({ cameras, cells }: Site): SiteMistake[] {
  const index = createCellIndex(cells);
  return cameras.flatMap((camera, i) => {
    const outside = camera.calibration.points.every((p) => index.cellNear(p, NEAR_CELL_M) === null);
    const fitted = fitGround(camera);
    const at = fitted.ok || fitted.point === null ? '' : `.points.${fitted.point}`;
    const sources = [camera.url, camera.streams, camera.file].filter((source) => source !== undefined).length;
    const half = (camera.username === undefined) !== (camera.password === undefined);
    return [
      ...(outside
        ? [{ key: `cameras.${i}.calibration`, value: camera.id, message: 'no calibration point lies in a unit grid of the site' }]
        : []),
      ...(fitted.ok ? [] : [{ key: `cameras.${i}.calibration${at}`, value: camera.id, message: fitted.fault }]),
      ...(sources === 1
        ? []
        : [{ key: `cameras.${i}.url`, value: camera.url, message: 'exactly one of url, streams and file is wanted' }]),
      ...(half ? [{ key: `cameras.${i}.username`, value: camera.username, message: 'username and password go together' }] : []),
    ];
  });
}

/** Of the picture. What is smaller is a slip of the hand: nothing can stand in it. */
const ZONE_AREA_MIN = 1e-5;

function zoneMistakes({ cameras, calendars = {} }: Site): SiteMistake[] {
  return cameras.flatMap((camera, i) => [
    ...polygonMistakes(camera, `cameras.${i}`),
    ...camera.zones.flatMap((zone, j) =>
      zone.rules.flatMap((rule, k) => zoneRuleMistakes(rule, `cameras.${i}.zones.${j}.rules.${k}`, calendars)),
    ),
    ...namedTwice(camera.zones, `cameras.${i}.zones`),
    ...camera.zones.flatMap((zone, j) => namedTwice(zone.rules, `cameras.${i}.zones.${j}.rules`)),
  ]);
}

function polygonMistakes({ zones, exclude = [] }: SiteCamera, key: string): SiteMistake[] {
  const polygons = [
    ...zones.map(({ polygon }, j) => ({ polygon, at: `${key}.zones.${j}.polygon` })),
    ...exclude.map((polygon, j) => ({ polygon, at: `${key}.exclude.${j}` })),
  ];
  return polygons.flatMap(({ polygon, at }) =>
    areaOf(polygon) >= ZONE_AREA_MIN ? [] : [{ key: at, value: polygon, message: 'encloses nothing: its corners lie in a line' }],
  );
}

/** Shoelace formula. */
function areaOf(polygon: readonly (readonly [number, number])[]): number {
  const next = (i: number) => polygon[(i + 1) % polygon.length] as readonly [number, number];
  return Math.abs(polygon.reduce((sum, [x, y], i) => sum + x * next(i)[1] - next(i)[0] * y, 0)) / 2;
}

/** Incidents are remembered by zone and rule. */
function namedTwice(things: readonly { id: string }[], key: string): SiteMistake[] {
  return things.flatMap(({ id }, j) =>
    things.findIndex((other) => other.id === id) < j ? [{ key: `${key}.${j}.id`, value: id, message: 'stands here twice' }] : [],
  );
}

function zoneRuleMistakes(rule: ZoneRule, key: string, calendars: Calendars): SiteMistake[] {
  const { detects, raises, pictures, crosses, count, dwellS } = rule;
  const unless = (holds: boolean, part: string, value: unknown, message: string): SiteMistake[] =>
    holds ? [] : [{ key: `${key}.${part}`, value, message }];
  const [from, to] = crosses?.line ?? [];
  return [
    ...unless(detects !== 'person', 'detects', detects, 'people are never an event class'),
    ...unless(pictures === undefined || pictures.seen <= pictures.of, 'pictures.seen', pictures?.seen, 'more than it is out of'),
    ...unless(crosses === undefined || count === undefined, 'count', count, 'a rule counts, or watches a line: write two rules'),
    ...unless(crosses === undefined || dwellS === 0, 'dwellS', dwellS, 'going over a line takes no time: 0'),
    ...unless(
      from === undefined || from[0] !== to?.[0] || from[1] !== to[1],
      'crosses.line',
      crosses?.line,
      'both ends are the same point',
    ),
    ...windowMistakes(rule, key, calendars),
    ...raisesMistakes(key, raises),
  ];
}

/** The member's field that names a group of each kind. */
const MEMBERSHIP = { circuit: 'circuit', pressure_zone: 'pressureZone', drainage_basin: 'drainageBasin' } as const;

function groupMistakes({ groups = [], devices, cells }: Site): SiteMistake[] {
  const byId = new Map(groups.map((g) => [g.id, g]));
  const named = Object.entries(MEMBERSHIP).flatMap(([kind, field]) =>
    devices.flatMap((device, i): SiteMistake[] => {
      const id = device[field];
      if (id === undefined || byId.get(id)?.kind === kind) return [];
      return [{ key: `devices.${i}.${field}`, value: id, message: `there is no group of kind ${kind} with this id` }];
    }),
  );
  const index = createCellIndex(cells);
  const firstOf = new Map<string, Site['devices'][number]>();
  for (const device of devices)
    for (const id of Object.values(MEMBERSHIP).map((field) => device[field]))
      if (id !== undefined && !firstOf.has(id)) firstOf.set(id, device);
  const groupsThemselves = groups.flatMap(({ id, kind, position, component }, i): SiteMistake[] => {
    const first = firstOf.get(id);
    if (first === undefined) return [{ key: `groups.${i}.id`, value: id, message: `no device names this ${kind}` }];
    const cell = index.cellNear(position ?? first, NEAR_CELL_M);
    if (cell === null)
      return position === undefined ? [] : [{ key: `groups.${i}.position`, value: id, message: 'outside of every unit grid' }];
    return cell.slice(0, 6) === component.slice(0, 6)
      ? []
      : [{ key: `groups.${i}.component`, value: component, message: `its division is not that of its unit grid ${cell}` }];
  });
  return [...named, ...groupsThemselves];
}

function maintenanceMistakes({ maintenance = [], devices, groups = [] }: Site): SiteMistake[] {
  const known = new Set(devices.map((d) => d.id));
  const knownGroups = new Set(groups.map((g) => g.id));
  return maintenance.flatMap(({ devices: ids, group, from, to }, i): SiteMistake[] => {
    const at = (key: string, value: unknown, message: string) => ({ key: `maintenance.${i}${key}`, value, message });
    const none = ids === undefined && group === undefined ? [at('', undefined, 'devices or a group are wanted')] : [];
    const times = Date.parse(from) < Date.parse(to) ? [] : [at('.to', to, 'is not after `from`, or no date')];
    const strangers = (ids ?? []).flatMap((id, j) => (known.has(id) ? [] : [at(`.devices.${j}`, id, 'there is no such device')]));
    const other = group === undefined || knownGroups.has(group) ? [] : [at('.group', group, 'there is no such group')];
    return [...none, ...times, ...strangers, ...other];
  });
}
