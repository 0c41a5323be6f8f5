import type { Static, TSchema } from 'typebox';
import type { CaseRole, CaseState, EventData, FilingPolicy } from '#grid/mod.ts';
import type { CaseTimelineTable, Queries } from '../../database/mod.ts';
import type { CaseDraft } from '../draft.ts';
import type { CaseNumbers } from '../numbers.ts';
import type { Actor } from '../types.ts';

/** Everything that a guard and an effect may look at; all of it belongs to one transaction. */
export interface TransitionContext {
  readonly db: Queries;
  readonly draft: CaseDraft;
  readonly actor: Actor;
  /** The one of the actor's roles in which he acts. */
  readonly role: CaseRole;
  /** UTC ms. */
  readonly at: number;
  readonly numbers: CaseNumbers;
  readonly policy: FilingPolicy;
  /** The case's lines so far, oldest first. */
  readonly history: readonly Pick<CaseTimelineTable, 'name' | 'actor' | 'kind'>[];
  /** The events that feed it. */
  events(): Promise<EventData[]>;
  /** Other cases that this step has changed. */
  readonly touched: Set<string>;
}

/**
 * A step of the case cycle: one file in this folder, one line in `mod.ts`. Route, console button, audit entry and
 * rights follow from it. Each runs as one transaction:
 *
 *   role --> separation of duties --> input --> state --> guard --> apply --> timeline line --> save
 */
export interface Transition<S extends TSchema = TSchema> {
  name: string;
  labelZh: string;
  labelEn: string;
  /** None: it makes the case. */
  from: readonly CaseState[];
  /** Where it leads; `apply` chooses when there are several, else it is the first. */
  to: readonly [CaseState, ...CaseState[]];
  roles: readonly CaseRole[];
  /** A role that may do it from some of the states only. */
  fromByRole?: Partial<Record<CaseRole, readonly CaseState[]>>;
  /** Who has done one of these on the case may not do this one. */
  notAfter?: readonly string[];
  /** Only the department that the case was dispatched to. */
  ownDepartment?: boolean;
  input: S;
  /** Throws GEWU_TRANSITION_GUARD. */
  guard?(context: TransitionContext, input: Static<S>): void | Promise<void>;
  /** Changes the draft (and what else the step touches); may return one of `to`. */
  // biome-ignore lint/suspicious/noConfusingVoidType: most effects return nothing
  apply?(context: TransitionContext, input: Static<S>): CaseState | void | Promise<CaseState | void>;
}

/** Gives a transition its types; does nothing else. */
export function defineTransition<const S extends TSchema>(transition: Transition<S>): Transition<S> {
  return transition;
}
