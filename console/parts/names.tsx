import i18next from 'i18next';
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import type { EventClass, Severity } from '#grid/mod.ts';
import type { HealthState } from '#grid/wire/mod.ts';
import { useCatalogue } from '../api/mod.ts';
import { zh } from '../i18n/mod.ts';

const chinese = () => i18next.language.startsWith('zh');

/** `labelZh` or `labelEn` of what the catalogue names. */
export const pick = (names: { nameZh: string; nameEn: string }) => (chinese() ? names.nameZh : names.nameEn);
export const pickLabel = (names: { labelZh: string; labelEn: string }) => (chinese() ? names.labelZh : names.labelEn);

/** What people read for the class of an event or case: the fault where there is one. An unknown code is shown as it is. */
export function useClassName(): (c: EventClass) => string {
  const catalogue = useCatalogue();
  const { t } = useTranslation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another language has other names
  return useCallback(
    (c) => {
      const fault = c.fault === undefined ? undefined : catalogue?.faults.find((f) => f.key === c.fault);
      if (fault) return pick(fault);
      const entry = (c.flag === 1 ? catalogue?.components : catalogue?.events)?.find((e) => e.code === c.code);
      return entry === undefined ? c.code : pick(entry);
    },
    [catalogue, t],
  );
}

export function useKindName(): (kind: string) => string {
  const catalogue = useCatalogue();
  const { t } = useTranslation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another language has other names
  return useCallback(
    (kind) => {
      const entry = catalogue?.deviceKinds.find((k) => k.kind === kind);
      return entry === undefined ? kind : pickLabel(entry);
    },
    [catalogue, t],
  );
}

/** Colour is never the only sign: each has a shape of its own. */
const HEALTH_SIGNS: Record<HealthState, string> = { online: '●', offline: '✕', degraded: '▲', unknown: '○' };

export function HealthTag({ state }: { state: HealthState }) {
  const { t } = useTranslation();
  return (
    <span className={`tag health ${state}`}>
      <i aria-hidden="true">{HEALTH_SIGNS[state]}</i>
      {t(`health.${state}`)}
    </span>
  );
}

const SEVERITY_SIGNS: Record<Severity, string> = { critical: '◆', high: '▲', normal: '■', low: '▽' };

export function SeverityTag({ severity }: { severity: Severity }) {
  const { t } = useTranslation();
  return (
    <span className={`tag severity ${severity}`}>
      <i aria-hidden="true">{SEVERITY_SIGNS[severity]}</i>
      {t(`severity.${severity}`)}
    </span>
  );
}

/** A stable word of the edge; one that we have no text for is shown as it is. */
export function useReason(): (reason: string) => string {
  const { t } = useTranslation();
  return useCallback(
    (reason) => (Object.hasOwn(zh.reason, reason) ? t(`reason.${reason as keyof typeof zh.reason}`) : reason),
    [t],
  );
}
