import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import type { Case } from '#grid/mod.ts';
import { useThing } from '../../api/mod.ts';
import { Ago, Facts, Moment, momentText, Page, Panel, SeverityTag, Shown, useClassName, Waiting } from '../../parts/mod.ts';
import { CaseStateTag } from './case_state.tsx';
import { Evidence } from './evidence.tsx';
import { AskOriginal, Originals, useOriginals } from './originals.tsx';
import { Relatives } from './relatives.tsx';
import { Timeline } from './timeline.tsx';
import { Transitions } from './transitions.tsx';

const PlaceMap = lazy(() => import('../../parts/map/place_map.tsx'));

/** One case: what can be done, what proves it, where it is, what has happened. */
export function CasePage() {
  const { t } = useTranslation();
  const { id = '' } = useParams();
  const className = useClassName();
  const asked = useThing<Case>(['cases', 'one', id], `/api/v1/cases/${id}`);
  const title = asked.data === undefined ? t('cases.title') : className(asked.data.class);
  return (
    <Page title={title} back={{ to: '/cases', label: t('cases.title') }}>
      <Shown of={asked}>
        {(data) => (
          <div className="stack">
            <Panel
              title={
                <>
                  <CaseStateTag state={data.state} /> <SeverityTag severity={data.severity} />{' '}
                  <span className="mono">{data.number ?? t('cases.noNumber')}</span>
                </>
              }
              beside={
                <span className="dim">
                  {t('field.opened')} <Ago at={data.openedAt} />
                </span>
              }
            >
              <Hints of={data} />
              <Transitions of={data} />
            </Panel>
            <Relatives of={data} />
            <div className="grid2">
              <div className="stack">
                <Proof of={data} />
                <Timeline id={id} />
              </div>
              <div className="stack">
                <Panel title={t('cases.map')}>
                  <Suspense fallback={<Waiting rows={4} />}>
                    <PlaceMap place={data.place} />
                  </Suspense>
                  <What of={data} />
                </Panel>
                <Events of={data} />
              </div>
            </div>
          </div>
        )}
      </Shown>
    </Page>
  );
}

/** The evidence, and who has asked to see more of it. */
function Proof({ of }: { of: Case }) {
  const originals = useOriginals(of.id);
  const [wanted, setWanted] = useState<string | null>(null);
  return (
    <>
      <Evidence of={of} onOriginal={originals?.mayAsk ? setWanted : null} />
      {originals && <Originals grants={originals} />}
      {wanted !== null && <AskOriginal sha256={wanted} onClose={() => setWanted(null)} />}
    </>
  );
}

/** What whoever decides should know first. */
function Hints({ of }: { of: Case }) {
  const { t } = useTranslation();
  const link = (id: string) => (
    <Link key={id} to={`/cases/${id}`} className="mono">
      {id}
    </Link>
  );
  const hints = [
    of.proposal === 'file' && t('cases.proposal'),
    of.recoveredAt !== null && t('cases.recovered', { time: momentText(of.recoveredAt) }),
    of.recurrenceOf !== null && [t('cases.recurrence'), ' ', link(of.recurrenceOf)],
    of.mergedInto !== null && [t('cases.mergedInto'), ' ', link(of.mergedInto)],
    of.reworkCount > 0 && t('cases.rework', { n: of.reworkCount }),
  ].filter((hint) => hint !== false);
  if (hints.length === 0) return null;
  return (
    <ul className="hints">
      {hints.map((hint, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they have no other identity and never move
        <li key={i}>{hint}</li>
      ))}
    </ul>
  );
}

function What({ of }: { of: Case }) {
  const { t } = useTranslation();
  const { place } = of;
  return (
    <Facts
      rows={[
        [t('field.source'), t(`source.${of.source}`)],
        [t('field.confidence'), `${Math.round(of.confidence * 100)} %`],
        [t('field.observations'), of.observations],
        [t('field.started'), <Moment key="started" at={of.startedAt} />],
        [t('field.lastObserved'), <Ago key="seen" at={of.lastSeenAt} />],
        of.department === null ? null : [t('field.department'), of.department],
        [t('field.cell'), place.cell],
        [t('field.component'), place.component ?? '–'],
        [t('field.place'), `${place.lon.toFixed(6)}, ${place.lat.toFixed(6)}`],
        [t('field.radius'), `${Math.round(place.errorRadiusM)} m`],
        [
          t('field.id'),
          <span key="id" className="mono">
            {of.id}
          </span>,
        ],
      ]}
    />
  );
}

function Events({ of }: { of: Case }) {
  const { t } = useTranslation();
  return (
    <Panel title={t('cases.events')}>
      <ul className="lines">
        {of.events.map((event) => (
          <li key={event}>
            <Link className="mono" to={`/events/${event}?view=all`}>
              {event}
            </Link>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
