import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { SituationAnswer } from '#grid/api/mod.ts';
import { Ago, Nothing, SeverityTag, useClassName } from '../../parts/mod.ts';

/** What is open, the most urgent first. Many of one class at one time, as after heavy rain, are one entry. */
export function Urgent({ storms, cases }: { storms: SituationAnswer['storms']; cases: SituationAnswer['urgent'] }) {
  const { t } = useTranslation();
  const className = useClassName();
  if (storms.length + cases.length === 0) return <Nothing text={t('situation.urgentEmpty')} />;
  return (
    <ul>
      {storms.map((storm) => (
        <li key={storm.classKey} className="storm">
          <Link to={`/cases?class=${encodeURIComponent(storm.classKey)}`}>
            <b>
              {className(storm.class)} × {storm.count}
            </b>
            <SeverityTag severity={storm.severity} />
            <span className="dim">{t('situation.stormCells', { n: storm.cells })}</span>
            <span className="dim">
              <Ago at={storm.lastSeenAt} />
            </span>
          </Link>
        </li>
      ))}
      {cases.map((c) => (
        <li key={c.id}>
          <Link to={`/cases/${c.id}`}>
            <b>{className(c.class)}</b>
            <SeverityTag severity={c.severity} />
            <span className="dim">{t(`caseState.${c.state}`)}</span>
            <span className="dim">
              <Ago at={c.lastSeenAt} />
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
