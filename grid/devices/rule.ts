import type { Severity } from '../events/event.ts';
import type { Condition, Operator, Raises, ThresholdRule } from '../rules/mod.ts';

/** Shorthand for the kinds' tables; says nothing that ThresholdRule does not say. */
export const is = (field: string, op: Operator, value: number | boolean): Condition => ({ field, op, value });

export interface RuleTerms {
  when: Condition[];
  confirmS: number;
  samples?: number;
  clear: Condition[];
  clearS: number;
  raises: Raises;
  severity: Severity;
}

export function rule(id: string, t: RuleTerms): ThresholdRule {
  return {
    id,
    when: t.when,
    confirm: { forS: t.confirmS, samples: t.samples ?? 1 },
    clear: { when: t.clear, forS: t.clearS },
    raises: t.raises,
    severity: t.severity,
  };
}

/** A boolean that is true for so long. */
export function flagRule(
  id: string,
  field: string,
  confirmS: number,
  raises: Raises,
  severity: Severity,
  clearS = 60,
): ThresholdRule {
  return rule(id, { when: [is(field, 'eq', true)], confirmS, clear: [is(field, 'eq', false)], clearS, raises, severity });
}
