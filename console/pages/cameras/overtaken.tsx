import { Alert } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { DesiredCameraAnswer, RevisionAnswer } from '#grid/api/mod.ts';
import { useThing, withQuery } from '../../api/mod.ts';
import { Difference } from '../../parts/mod.ts';

const REVISIONS_SHOWN = 20;

/** Others have changed what is being edited: who, why, and what. */
export function Overtaken({
  base,
  newest,
  children,
}: {
  base: DesiredCameraAnswer;
  newest: DesiredCameraAnswer;
  /** What can be done about it. */
  children: ReactNode;
}) {
  const { t } = useTranslation();
  const { edge, camera, revision } = newest;
  const path = withQuery(`/api/v1/edges/${edge}/desired/revisions`, { limit: REVISIONS_SHOWN });
  const { data } = useThing<{ items: RevisionAnswer[] }>(['desired', edge, 'revisions', revision], path);
  const since = (data?.items ?? []).filter((r) => r.revision > base.revision);
  return (
    <>
      <Alert type="warning" showIcon title={t('desired.overtaken')} />
      <ul className="lines">
        {since.map((r) => (
          <li key={r.revision}>
            <b>{t('desired.revision', { n: r.revision })}</b>
            <span className="dim">{r.by}</span>
            <q>{r.reason}</q>
          </li>
        ))}
      </ul>
      <Difference edge={edge} from={base.revision} to={revision} below={`cameras.${camera}`} />
      <div className="bar">{children}</div>
    </>
  );
}
