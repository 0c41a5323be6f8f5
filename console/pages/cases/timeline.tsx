import { useTranslation } from 'react-i18next';
import type { TimelineAnswer } from '#grid/api/mod.ts';
import { useThing } from '../../api/mod.ts';
import { Moment, Panel, Shown } from '../../parts/mod.ts';
import { useTransitionName } from './names.ts';

type Entry = TimelineAnswer['items'][number];

/** What happened, newest first: who, as what, and what he said. */
export function Timeline({ id }: { id: string }) {
  const { t } = useTranslation();
  const asked = useThing<TimelineAnswer>(['cases', 'timeline', id], `/api/v1/cases/${id}/timeline`);
  return (
    <Panel title={t('cases.timeline')}>
      <Shown of={asked} rows={4}>
        {({ items }) => (
          <ol className="timeline">
            {items.toReversed().map((entry) => (
              <One key={entry.seq} entry={entry} />
            ))}
          </ol>
        )}
      </Shown>
    </Panel>
  );
}

function One({ entry }: { entry: Entry }) {
  const { t } = useTranslation();
  const name = useTransitionName();
  const said = Object.entries(entry.input).flatMap(([key, value]) =>
    ['note', 'reason', 'text', 'department'].includes(key) && typeof value === 'string' ? [value] : [],
  );
  return (
    <li className={entry.kind}>
      <div>
        <b>{name(entry.name)}</b>
        {entry.from !== entry.to && <span className="dim"> → {t(`caseState.${entry.to}`)}</span>}
      </div>
      {said.map((text) => (
        <q key={text}>{text}</q>
      ))}
      <div className="dim small">
        {entry.role === 'machine' ? t('role.machine') : `${entry.actor} · ${t(`role.${entry.role}`)}`} · <Moment at={entry.at} />
      </div>
    </li>
  );
}
