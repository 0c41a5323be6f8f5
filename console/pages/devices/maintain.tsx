import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { MaintenanceNow, Subject } from '#grid/api/mod.ts';
import { useMay } from '../../api/mod.ts';
import { BeginMaintenance, useMaintenance } from '../../parts/mod.ts';

const SUBJECTS = { sensor: 'device', camera: 'camera', edge: 'edge' } as const satisfies Record<string, Subject['of']>;

/** What an ops engineer does with one thing, and the groups that it is in. */
export function Maintain({
  of,
  thing: { id, maintenance, groups },
}: {
  of: keyof typeof SUBJECTS;
  thing: { id: string; maintenance: MaintenanceNow; groups: readonly string[] };
}) {
  const { t } = useTranslation();
  const { ops } = useMay();
  const { end } = useMaintenance();
  const [beginning, setBeginning] = useState(false);
  const subjects: Subject[] = [{ of: SUBJECTS[of], id }];
  return (
    <>
      {maintenance !== null && (
        <p className="written dim">{t('upkeep.by', { name: maintenance.by, reason: maintenance.reason })}</p>
      )}
      <div className="bar">
        {groups.map((group) => (
          <Link key={group} className="tag" to={`/devices?of=${of}s&group=${group}`}>
            {group}
          </Link>
        ))}
        {ops && maintenance === null && <Button onClick={() => setBeginning(true)}>{t('upkeep.begin')}</Button>}
        {ops && maintenance !== null && <Button onClick={() => void end({ subjects })}>{t('upkeep.end')}</Button>}
        {beginning && <BeginMaintenance subjects={subjects} onClose={() => setBeginning(false)} />}
      </div>
    </>
  );
}
