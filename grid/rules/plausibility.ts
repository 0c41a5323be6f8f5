import type { ThresholdRule } from './threshold.ts';

/**
 * Alarms about the sensor and not about the city. Each runs over a verdict of the same name on every sample: a value out of
 * its range, one that does not move although noise is expected, one that no reading can follow the one before.
 * Source: docs/domain/sensors.md section 4, rule 5.
 */
export const PLAUSIBILITY_CHECKS = ['implausible', 'stuck', 'jump'] as const;
export type PlausibilityCheck = (typeof PLAUSIBILITY_CHECKS)[number];

/** Reports that are identical to the last bit, and the time that they must span: a fast device repeats what its sensor measures slowly. */
export const STUCK_REPORTS = 20;
export const STUCK_S_MIN = 600;

function check(id: PlausibilityCheck, samples: number, of: number, clearS: number): ThresholdRule {
  return {
    id,
    when: [{ field: id, op: 'eq', value: true }],
    confirm: { forS: 0, samples, of },
    clear: { when: [{ field: id, op: 'eq', value: false }], forS: clearS },
    raises: { fault: 'device_fault' },
    severity: 'normal',
  };
}

/** One wrong value in five is a glitch of the line; two are the sensor. */
export const PLAUSIBILITY_RULES: Readonly<Record<PlausibilityCheck, ThresholdRule>> = {
  implausible: check('implausible', 2, 5, 60),
  stuck: check('stuck', 1, 1, 0),
  jump: check('jump', 2, 5, 60),
};
