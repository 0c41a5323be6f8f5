import { useTranslation } from 'react-i18next';
import type { CaseState } from '#grid/mod.ts';

/** Where it stands: people look for what waits for them, what is under way and what is over. */
const LOOKS: Record<CaseState, string> = {
  REPORTED: 'high',
  VERIFYING: 'high',
  REJECTED: 'over',
  MERGED: 'over',
  FILED: 'normal',
  TO_DISPATCH: 'high',
  EXPERT: 'normal',
  DISPATCHED: 'normal',
  HANDLING: 'normal',
  SUSPENDED: 'over',
  FEEDBACK: 'high',
  CHECKING: 'high',
  TO_CLOSE: 'high',
  CLOSED: 'good',
  ARCHIVED: 'good',
  WITHDRAWN: 'over',
};

export function CaseStateTag({ state }: { state: CaseState }) {
  const { t } = useTranslation();
  return <span className={`tag ${LOOKS[state]}`}>{t(`caseState.${state}`)}</span>;
}
