import type { BySeverity, ByState, SituationAnswer, UrgentCase } from '#grid/api/mod.ts';
import type { Case } from '#grid/mod.ts';
import { type Clock, FreshAnswer } from '#service/mod.ts';
import type { CaseService } from '../cases/mod.ts';
import type { DeviceService, Registry } from '../devices/mod.ts';

/** However many look, the stores are asked this often at most. */
const FRESH_MS = 200;
/** The states of ten thousand things are read less often: they are most of an answer's work. */
const STATES_FRESH_MS = 1_000;
const URGENT_MAX = 100;

/** Counts of a unit grid hold no zeros: most of 1,652 grids have next to nothing. */
function add<K extends string>(counts: Partial<Record<K, number>>, key: K, n: number): void {
  counts[key] = (counts[key] ?? 0) + n;
}
const urgentOf = ({ id, class: of, severity, state, place, lastSeenAt }: Case): UrgentCase => ({
  id,
  class: of,
  severity,
  state,
  place,
  lastSeenAt,
});

const noCases = (): BySeverity => ({ critical: 0, high: 0, normal: 0, low: 0 });
const noStates = (): ByState => ({ online: 0, offline: 0, degraded: 0, unknown: 0 });

/** What the city looks like now: one answer for the map, the tiles and the list of the console. */
export class Situation {
  readonly #cases: CaseService;
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #answer: FreshAnswer<SituationAnswer>;
  readonly #states: FreshAnswer<Awaited<ReturnType<DeviceService['states']>>>;

  constructor({
    cases,
    devices,
    registry,
    clock,
  }: { cases: CaseService; devices: DeviceService; registry: Registry; clock: Clock }) {
    this.#cases = cases;
    this.#registry = registry;
    this.#clock = clock;
    this.#answer = new FreshAnswer({ freshMs: FRESH_MS, clock, ask: () => this.#ask() });
    this.#states = new FreshAnswer({ freshMs: STATES_FRESH_MS, clock, ask: () => devices.states() });
  }

  /** Throws GEWU_STORE_UNAVAILABLE. */
  now(): Promise<SituationAnswer> {
    return this.#answer.get();
  }

  async #ask(): Promise<SituationAnswer> {
    const [open, urgent, states] = await Promise.all([
      this.#cases.countOpen(),
      this.#cases.urgent(URGENT_MAX),
      this.#states.get(),
    ]);
    const cells = new Map<string, SituationAnswer['cells'][number]>();
    const cell = (code: string) => {
      const known = cells.get(code) ?? { code, openCases: {}, devices: {} };
      cells.set(code, known);
      return known;
    };
    const totals = { openCases: noCases(), device: noStates(), camera: noStates(), edge: noStates() };
    for (const { cell: code, severity, count } of open) {
      add(cell(code).openCases, severity, count);
      totals.openCases[severity] += count;
    }
    const { devices, cameras } = this.#registry;
    for (const { of, id, state } of states) {
      totals[of][state]++;
      const code = of === 'edge' ? null : (of === 'device' ? devices : cameras).get(id)?.cell;
      if (code != null) add(cell(code).devices, state, 1);
    }
    return {
      at: this.#clock.now(),
      openCases: totals.openCases,
      devices: totals.device,
      cameras: totals.camera,
      edges: totals.edge,
      cells: [...cells.values()],
      storms: urgent.storms,
      urgent: urgent.cases.map(urgentOf),
    };
  }
}
