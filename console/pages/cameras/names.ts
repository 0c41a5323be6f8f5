import { useTranslation } from 'react-i18next';
import { zh } from '../../i18n/mod.ts';

/** What people read for a class of a model; one that we have no text for is shown as it is. */
export function useDetects(): (name: string) => string {
  const { t } = useTranslation();
  return (name) => (Object.hasOwn(zh.detects, name) ? t(`detects.${name as keyof typeof zh.detects}`) : name);
}
