import { useTranslation } from 'react-i18next';
import { useCatalogue } from '../../api/mod.ts';
import { pickLabel } from '../../parts/mod.ts';

const OBSERVATIONS = {
  joined: 'cases.joined',
  recovered: 'cases.recoveredEntry',
  relapsed: 'cases.relapsed',
  'master-of': 'cases.masterOf',
} as const;

/** A step of the case cycle, by the catalogue, or an observation; what neither knows is shown as it is. */
export function useTransitionName(): (name: string) => string {
  const { t } = useTranslation();
  const transitions = useCatalogue()?.transitions ?? [];
  return (name) => {
    if (Object.hasOwn(OBSERVATIONS, name)) return t(OBSERVATIONS[name as keyof typeof OBSERVATIONS]);
    const step = transitions.find((s) => s.name === name);
    return step === undefined ? name : pickLabel(step);
  };
}
