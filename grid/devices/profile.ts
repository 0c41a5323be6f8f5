import type { AlarmLimits, MissingRule, ThresholdRule, ZoneRule } from '../rules/mod.ts';

/** `default` is the product; `demo` shortens every confirm, dwell and clear time, so that a short run shows something. */
export const PROFILES = ['default', 'demo'] as const;
export type Profile = (typeof PROFILES)[number];

/** Confirm, dwell and clear times in the demo profile, seconds, at most. */
export const DEMO_CONFIRM_S = 5;
export const DEMO_CLEAR_S = 4;
const DEMO_SAMPLES = 2;
/** Silence, and the windows in which alarms of one device or group are counted. */
const DEMO_MISSING_S = 900;
const DEMO_WINDOW_S = 60;
const DEMO_HOLD_S = 3;

export function applyProfile(rules: readonly ThresholdRule[], profile: Profile): ThresholdRule[] {
  if (profile === 'default') return [...rules];
  return rules.map((r) => ({
    ...r,
    confirm: {
      ...r.confirm,
      forS: Math.min(r.confirm.forS, DEMO_CONFIRM_S),
      samples: Math.min(r.confirm.samples, DEMO_SAMPLES),
    },
    clear: { ...r.clear, forS: Math.min(r.clear.forS, DEMO_CLEAR_S) },
  }));
}

export function applyZoneProfile(rules: readonly ZoneRule[], profile: Profile): ZoneRule[] {
  if (profile === 'default') return [...rules];
  return rules.map((r) => ({ ...r, dwellS: Math.min(r.dwellS, DEMO_CONFIRM_S), clearS: Math.min(r.clearS, DEMO_CLEAR_S) }));
}

/** `silentS` is what the kind's interval gives. */
export function applyMissingProfile(rule: MissingRule, silentS: number, profile: Profile): MissingRule {
  const forS = rule.missing.forS ?? silentS;
  return { ...rule, missing: { forS: profile === 'default' ? forS : Math.min(forS, DEMO_MISSING_S) } };
}

export function applyLimitsProfile(limits: AlarmLimits, profile: Profile): AlarmLimits {
  if (profile === 'default') return limits;
  const { flapping, group, storm } = limits;
  return {
    flapping: flapping && { ...flapping, windowS: Math.min(flapping.windowS, DEMO_WINDOW_S) },
    group: {
      ...group,
      windowS: Math.min(group.windowS, DEMO_WINDOW_S),
      clearS: Math.min(group.clearS, DEMO_CLEAR_S),
      holdS: Math.min(group.holdS, DEMO_HOLD_S),
    },
    storm,
  };
}
