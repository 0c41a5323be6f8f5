import {
  type CellIndex,
  type EventClass,
  fault,
  NEAR_CELL_M,
  type Place,
  type Position,
  type Raises,
  type SiteComponent,
} from '#grid/mod.ts';
import { distanceM, type Ground } from './ground.ts';
import type { Incident } from './incident.ts';

/** 无主井盖: an open shaft that belongs to no registered cover. */
export const UNOWNED_COVER = '0114';
const COVER_FAULT = 'cover_open';
/** A registered component is meant when it is within the error radius, and never farther than it takes to be next to it. */
const COMPONENT_M_MIN = 3;
/** Components farther from the camera's foot are out of its view. */
const VIEW_M_MAX = 300;

export type Located = { class: EventClass; place: Place };

/**
 * Says what and where an incident is, in the city's terms: class, unit grid and, for a component's fault, the component.
 *
 * A fault needs a component: the nearest registered one whose class can have it, within max(error radius, 3 m). For an open
 * manhole without one the class is 0114 (unowned cover) and no component is named; any other fault without one is none.
 * The unit grid is decided on the ground point; a component's own position decides when one is meant.
 */
export class Locator {
  readonly #ground: Ground;
  readonly #cells: CellIndex;
  readonly #components: readonly SiteComponent[];

  constructor({ ground, cells, components }: { ground: Ground; cells: CellIndex; components: readonly SiteComponent[] }) {
    this.#ground = ground;
    this.#cells = cells;
    this.#components = components.filter((c) => Math.hypot(...ground.toPoint(c)) <= VIEW_M_MAX);
  }

  /** Null outside of every unit grid of the site, or for a fault without a component. */
  locate(incident: Pick<Incident, 'rule' | 'point' | 'errorRadiusM'>): Located | null {
    const { raises } = incident.rule;
    const at = this.#ground.toPosition(incident.point);
    const component = 'fault' in raises ? this.#componentOf(raises, incident) : null;
    const eventClass = classOf(raises, component);
    const cell = this.#cells.cellNear(component ?? at, Math.max(NEAR_CELL_M, incident.errorRadiusM));
    if (eventClass === null || cell === null) return null;
    const place: Place = { ...round(at), errorRadiusM: Math.round(incident.errorRadiusM * 100) / 100, cell };
    return { class: eventClass, place: component === null ? place : { ...place, component: component.code } };
  }

  #componentOf(
    raises: { fault: string },
    { point, errorRadiusM }: Pick<Incident, 'point' | 'errorRadiusM'>,
  ): SiteComponent | null {
    const classes = fault(raises.fault)?.components ?? [];
    let best: { component: SiteComponent; farM: number } | null = null;
    for (const component of this.#components) {
      if (classes.length > 0 && !classes.includes(component.code.slice(6, 10))) continue;
      const farM = distanceM(this.#ground.toPoint(component), point);
      if (farM <= Math.max(COMPONENT_M_MIN, errorRadiusM) && (best === null || farM < best.farM)) best = { component, farM };
    }
    return best?.component ?? null;
  }
}

function classOf(raises: Raises, component: SiteComponent | null): EventClass | null {
  if ('event' in raises) return { flag: 2, code: raises.event };
  if (component !== null) return { flag: 1, code: component.code.slice(6, 10), fault: raises.fault };
  return raises.fault === COVER_FAULT ? { flag: 1, code: UNOWNED_COVER, fault: raises.fault } : null;
}

/** Seven decimals are a centimetre. */
function round({ lon, lat }: Position): Position {
  return { lon: Number(lon.toFixed(7)), lat: Number(lat.toFixed(7)) };
}
