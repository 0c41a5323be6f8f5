import { setTimeout as pause } from 'node:timers/promises';
import type { Case } from '#grid/mod.ts';
import { ApiClient } from '#simulators/target/mod.ts';
import { say } from '../command.ts';

/** Who works the cases, and the steps that each takes. */
const OFFICERS = [
  { name: 'demo-supervision', roles: ['viewer', 'supervision'], steps: ['file', 'forward'] },
  { name: 'demo-command', roles: ['viewer', 'command'], steps: ['dispatch'] },
  { name: 'demo-crew', roles: ['viewer', 'department'], department: 'roads', steps: ['receive'] },
] as const;
const STEP_MS = 3_000;
/** The newest cases are worked on. */
const CASES_MAX = 100;
/** The steps of a case, in order. */
const STEPS: readonly { from: Case['state']; name: string; input: object }[] = [
  { from: 'REPORTED', name: 'file', input: {} },
  { from: 'FILED', name: 'forward', input: {} },
  { from: 'TO_DISPATCH', name: 'dispatch', input: { department: 'roads' } },
  { from: 'DISPATCHED', name: 'receive', input: {} },
];
/** The city is well for so long before something of its equipment fails. */
const WELL_MS = 40_000;
const SILENT_DEVICES = 2;
const MAINTENANCE_MINUTES = 60;

export interface LifeOptions {
  /** As administrator. */
  api: ApiClient;
  /** Makes simulated equipment fail. */
  fail: (what: { cameras: readonly string[]; devices: readonly string[] }) => void;
  /** Between two steps of an officer, and until something fails; as shipped where not given. */
  stepMs?: number;
  wellMs?: number;
}

/** What goes on in a city beside its incidents: officers work its cases, a camera freezes, sensors fall silent, one is under maintenance. */
export class CityLife {
  readonly #options: LifeOptions;
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: LifeOptions) {
    this.#options = options;
  }

  start(): void {
    const told = (error: unknown) => {
      if (!this.#stop.signal.aborted) say(`gewu: ${(error as Error).message}`);
    };
    this.#running = Promise.all([this.#work().catch(told), this.#wear().catch(told)]);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #wait(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#stop.signal });
  }

  async #work(): Promise<void> {
    const { api } = this.#options;
    const officers = await Promise.all(
      OFFICERS.map(async ({ steps, ...account }) => {
        const { token } = await api.post<{ token: string }>('/api/v1/tokens', account);
        return { steps: steps as readonly string[], api: new ApiClient(api.url, token) };
      }),
    );
    for (;;) {
      await this.#wait(this.#options.stepMs ?? STEP_MS);
      // A centre that is busy is asked again.
      const open = await api.get<{ items: Case[] }>(`/api/v1/cases?open=true&limit=${CASES_MAX}`).catch(() => null);
      for (const officer of officers) if (open !== null) await takeStep(officer, open.items);
    }
  }

  async #wear(): Promise<void> {
    const { api, fail } = this.#options;
    await this.#wait(this.#options.wellMs ?? WELL_MS);
    const ids = async (path: string) => (await api.get<{ items: { id: string }[] }>(path)).items.map(({ id }) => id);
    const [cameras, devices] = [await ids('/api/v1/cameras'), await ids('/api/v1/devices?limit=500')];
    const silent = devices.slice(-1 - SILENT_DEVICES, -1);
    fail({ cameras: cameras.slice(-1), devices: silent });
    const subjects = silent.slice(0, 1).map((id) => ({ of: 'device', id }));
    await api.post('/api/v1/upkeep/maintenance', { subjects, minutes: MAINTENANCE_MINUTES, reason: '更换电池 new battery' });
  }
}

/** One step of one case that has some to take yet. */
async function takeStep({ steps, api }: { steps: readonly string[]; api: ApiClient }, cases: readonly Case[]): Promise<void> {
  const due = cases.filter(({ id, state }) => {
    const at = STEPS.findIndex(({ from }) => from === state);
    return at >= 0 && at < stepsOf(id) && steps.includes(STEPS[at]?.name ?? '');
  });
  const one = due[Math.floor(Math.random() * due.length)];
  if (one === undefined) return;
  const { name, input } = STEPS.find(({ from }) => from === one.state) as (typeof STEPS)[number];
  // What is refused to a person too, for want of evidence, is tried again later.
  await api.post(`/api/v1/cases/${one.id}/transitions/${name}`, input).catch(() => undefined);
}

/** Each case stops after as many as its id says, so that there are some at every stage. */
const stepsOf = (id: string) => [...id].reduce((sum, character) => sum + character.charCodeAt(0), 0) % (STEPS.length + 1);
