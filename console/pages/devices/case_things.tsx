import { Drawer } from 'antd';
import { useTranslation } from 'react-i18next';
import type { UpkeepCaseDetail } from '#grid/api/mod.ts';
import { useThing } from '../../api/mod.ts';
import { Ago, HealthTag, Moment, Shown, useReason } from '../../parts/mod.ts';
import { SubjectLink } from './subject_link.tsx';

/** The things that a maintenance case is about: which are sick and why, and which are well again since when. Null: closed. */
export function CaseThings({ id, onClose }: { id: string | null; onClose: () => void }) {
  const { t } = useTranslation();
  const reason = useReason();
  const asked = useThing<UpkeepCaseDetail>(['upkeep', 'case', id], id === null ? null : `/api/v1/upkeep/cases/${id}`);
  return (
    <Drawer open={id !== null} onClose={onClose} title={t('upkeep.things')} size={520}>
      <Shown of={asked} rows={4}>
        {({ cause, openedAt, sick, members, things }) => (
          <>
            <p className="dim">
              {t(`upkeep.cause.${cause}`)} · <Moment at={openedAt} /> · {t('upkeep.sick', { sick, members })}
            </p>
            <ul className="lines">
              {things.map((thing) => (
                <li key={`${thing.of} ${thing.id}`}>
                  <HealthTag state={thing.state} />
                  <SubjectLink subject={thing} />
                  <span className="dim">
                    {reason(thing.reason)} · <Ago at={thing.since} />
                  </span>
                  {thing.wellAt !== null && (
                    <span className="dim small">
                      {t('upkeep.wellAgain')} <Moment at={thing.wellAt} />
                    </span>
                  )}
                </li>
              ))}
            </ul>
            {things.length < members && <p className="dim small">{t('upkeep.thingsShown', { n: things.length, members })}</p>}
          </>
        )}
      </Shown>
    </Drawer>
  );
}
