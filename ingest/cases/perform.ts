import { Compile, type Validator } from 'typebox/compile';
import type { EventData, FilingPolicy } from '#grid/mod.ts';
import { GewuError } from '#service/mod.ts';
import type { Queries } from '../database/mod.ts';
import type { CaseDraft } from './draft.ts';
import { checkDuties, leadsFrom, roleFor } from './duties.ts';
import type { CaseNumbers } from './numbers.ts';
import { TRANSITIONS, type Transition, type TransitionContext } from './transitions/mod.ts';
import type { Actor } from './types.ts';

const checks = new Map<Transition, Validator>(TRANSITIONS.map((t) => [t, Compile(t.input)]));

/** Throws GEWU_NOT_FOUND. */
export function transitionNamed(name: string): Transition {
  const found = TRANSITIONS.find((t) => t.name === name);
  if (found === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no transition ${name}`);
  return found;
}

export interface Step {
  db: Queries;
  transition: Transition;
  draft: CaseDraft;
  actor: Actor;
  input: unknown;
  at: number;
  numbers: CaseNumbers;
  policy: FilingPolicy;
  history: TransitionContext['history'];
  events: () => Promise<EventData[]>;
}

/** Does one step on a draft; the caller saves it. Returns the other cases that were changed. */
export async function perform(step: Step): Promise<Set<string>> {
  const { transition, draft, actor, input, at } = step;
  const role = roleFor(transition, actor);
  checkDuties(transition, actor, draft.row, step.history);
  checkInput(transition, input);
  if (transition.from.length > 0 && !leadsFrom(transition, role, draft.state))
    throw new GewuError('GEWU_TRANSITION_REFUSED', `${transition.name} does not lead from ${draft.state} for ${role}`);
  const context: TransitionContext = { ...step, role, touched: new Set() };
  await transition.guard?.(context, input);
  const to = (await transition.apply?.(context, input)) ?? transition.to[0];
  draft.record({ at, actor: actor.id, role, kind: 'transition', name: transition.name, to, input: input as object as never });
  return context.touched;
}

/** Throws GEWU_REQUEST_INVALID with the first mistake. */
export function checkInput(transition: Transition, input: unknown): void {
  const check = checks.get(transition);
  if (check === undefined) throw new GewuError('GEWU_INTERNAL', `${transition.name} is not registered`);
  if (check.Check(input)) return;
  const first = check.Errors(input)[0];
  throw new GewuError('GEWU_REQUEST_INVALID', `${transition.name}: ${first?.instancePath ?? ''} ${first?.message ?? ''}`);
}
