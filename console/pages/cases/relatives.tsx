import { Button } from 'antd';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { CaseRelation, CaseRelativesAnswer } from '#grid/api/mod.ts';
import type { Case } from '#grid/mod.ts';
import { useThing } from '../../api/mod.ts';
import { Ago, Panel, SeverityTag, useClassName } from '../../parts/mod.ts';
import { CaseStateTag } from './case_state.tsx';
import { Ask, type Step, useSteps } from './transitions.tsx';

type Relative = CaseRelativesAnswer['items'][number];
const MERGE = 'merge';
const LOOKS: Record<CaseRelation, string> = { merged: 'low', master: 'normal', earlier: 'low', later: 'normal', near: 'high' };

/** Duplicates beside the case itself, each with its picture, place and time: what is the same is seen, and merged by who may. */
export function Relatives({ of }: { of: Case }) {
  const { t } = useTranslation();
  const steps = useSteps(of);
  const merge = steps?.find((s) => s.name === MERGE) ?? null;
  const asked = useThing<CaseRelativesAnswer>(['cases', 'relatives', of.id, of.updatedAt], `/api/v1/cases/${of.id}/relatives`);
  const items = asked.data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <Panel title={t('cases.relatives')}>
      <div className="side-by-side">
        <Beside one={of} head={<span className="tag normal">{t('cases.thisOne')}</span>} />
        {items.map((item) => (
          <Other key={item.case.id} item={item} of={of} merge={merge} />
        ))}
      </div>
    </Panel>
  );
}

function Other({ item: { case: one, relation, distanceM }, of, merge }: { item: Relative; of: Case; merge: Step | null }) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const head = (
    <>
      <span className={`tag ${LOOKS[relation]}`}>{t(`cases.relation.${relation}`)}</span>
      <span className="dim small">{t('cases.away', { m: distanceM })}</span>
    </>
  );
  return (
    <Beside one={one} head={head}>
      <Link to={`/cases/${one.id}`}>{t('action.open')} ›</Link>
      {relation === 'near' && merge && (
        <Button size="small" onClick={() => setAsking(true)}>
          {t('cases.mergeInto')}
        </Button>
      )}
      {asking && merge && <Ask id={of.id} step={merge} initial={{ into: one.id }} onClose={() => setAsking(false)} />}
    </Beside>
  );
}

function Beside({ one, head, children }: { one: Case; head: ReactNode; children?: ReactNode }) {
  const { t } = useTranslation();
  const className = useClassName();
  const picture = one.evidence.find((e) => e.mediaType === 'image/jpeg' && e.status === 'stored');
  return (
    <section className="beside" aria-label={one.number ?? one.id}>
      <div className="bar">{head}</div>
      {picture ? (
        <img src={`/api/v1/evidence/${picture.sha256}`} alt={t('cases.evidence')} loading="lazy" />
      ) : (
        <span className="no-picture dim">{t('cases.noEvidence')}</span>
      )}
      <b>{className(one.class)}</b>
      <span>
        <CaseStateTag state={one.state} /> <SeverityTag severity={one.severity} />
      </span>
      <span className="mono small">{one.number ?? t('cases.noNumber')}</span>
      <span className="small">
        {t(`source.${one.source}`)} · <Ago at={one.startedAt} />
      </span>
      <span className="dim small mono">
        {one.place.lon.toFixed(6)}, {one.place.lat.toFixed(6)} ± {Math.round(one.place.errorRadiusM)} m
      </span>
      {children && <div className="bar">{children}</div>}
    </section>
  );
}
