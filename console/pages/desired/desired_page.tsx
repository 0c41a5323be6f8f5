import { RollbackOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useParams } from 'react-router';
import type { DesiredAnswer, RevisionAnswer } from '#grid/api/mod.ts';
import { call, useMay, useThing, withQuery } from '../../api/mod.ts';
import { AskReason, DesiredState, Difference, Facts, Moment, Nothing, Page, Panel, Shown, useFilter } from '../../parts/mod.ts';
import { CalendarsPanel } from './calendars.tsx';

const RENEW_MS = 10_000;
const PENDING_MS = 1_000;
const REVISIONS_SHOWN = 200;

/** What is wanted of one edge: the newest revision and what became of it, all before it with who and why, and the way back. */
export function DesiredPage() {
  const { t } = useTranslation();
  const { id = '' } = useParams();
  const path = `/api/v1/edges/${id}/desired`;
  const asked = useThing<DesiredAnswer>(['desired', id], path, (data) => (data?.status === 'pending' ? PENDING_MS : RENEW_MS));
  return (
    <Page title={`${t('desired.edgeTitle')} · ${id}`} back={{ to: `/devices/edge/${id}`, label: id }}>
      <Shown of={asked}>
        {(desired) => (
          <div className="stack">
            <Panel title={t('desired.now')} beside={<DesiredState of={desired} />}>
              <Now desired={desired} />
            </Panel>
            <CalendarsPanel desired={desired} path={path} />
            <Revisions desired={desired} path={path} />
          </div>
        )}
      </Shown>
    </Page>
  );
}

function Now({ desired }: { desired: DesiredAnswer }) {
  const { t } = useTranslation();
  const { state, running, model, notes } = desired;
  return (
    <>
      <Facts
        rows={[
          [
            t('desired.running'),
            running === null ? '–' : running === 0 ? t('desired.status.none') : t('desired.revision', { n: running }),
          ],
          [t('desired.sets'), Object.keys(state.cameras ?? {}).join(', ') || '–'],
          [t('desired.windows'), state.maintenance === undefined ? t('desired.ofFile') : state.maintenance.length],
          [t('field.model'), model === null ? '–' : `${model.model}${model.code === '' ? '' : ` (${model.code})`}`],
        ]}
      />
      <ul className="mistakes">
        {notes.map((note) => (
          <li key={`${note.key} ${note.message}`} className="bad-text small">
            ✕ <span className="mono">{note.key || note.code}</span> {note.message}
          </li>
        ))}
      </ul>
    </>
  );
}

function Revisions({ desired, path }: { desired: DesiredAnswer; path: string }) {
  const { t } = useTranslation();
  const { edge, revision: newest } = desired;
  const [chosen, choose] = useFilter('revision');
  const asked = useThing<{ items: RevisionAnswer[] }>(
    ['desired', edge, 'revisions', newest],
    withQuery(`${path}/revisions`, { limit: REVISIONS_SHOWN }),
  );
  return (
    <Panel title={t('desired.earlier')}>
      <Shown of={asked} rows={4}>
        {({ items }) => (
          <>
            {items.length === 0 && <Nothing text={t('desired.noRevisions')} />}
            <ul className="lines">
              {items.map((one) => (
                <li key={one.revision}>
                  <button
                    type="button"
                    className="plain-button"
                    aria-expanded={chosen === String(one.revision)}
                    onClick={() => choose(chosen === String(one.revision) ? undefined : String(one.revision))}
                  >
                    {chosen === String(one.revision) ? '▾ ' : '▸ '}
                    {t('desired.revision', { n: one.revision })}
                  </button>
                  <Verdict of={one} newest={one.revision === newest} />
                  <span className="dim">{one.by}</span>
                  <q>{one.reason}</q>
                  {one.revision !== newest && <Return desired={desired} to={one.revision} path={path} />}
                  <Moment at={one.at} />
                  {chosen === String(one.revision) && <Difference edge={edge} from={one.revision - 1} to={one.revision} />}
                </li>
              ))}
              {items.length > 0 && (
                <li>
                  <span>{t('desired.file')}</span>
                  <Return desired={desired} to={0} path={path} />
                </li>
              )}
            </ul>
          </>
        )}
      </Shown>
    </Panel>
  );
}

function Verdict({ of: { verdict, notes }, newest }: { of: RevisionAnswer; newest: boolean }) {
  const { t } = useTranslation();
  if (verdict === null) return <span className="tag low">○ {t(newest ? 'desired.status.pending' : 'desired.skipped')}</span>;
  const why = notes.map((n) => `${n.key || n.code}: ${n.message}`).join('; ');
  return verdict === 'confirmed' ? (
    <span className="tag good">✓ {t('desired.confirmed')}</span>
  ) : (
    <span className="tag bad" title={why}>
      ✕ {t(`desired.status.${verdict}`)}
    </span>
  );
}

/** A new revision with the content of an earlier one; 0 is the edge's own file. */
function Return({ desired, to, path }: { desired: DesiredAnswer; to: number; path: string }) {
  const { t } = useTranslation();
  const { administer } = useMay();
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  if (!administer) return null;
  const go = async (reason: string) => {
    try {
      await call(`${path}/return`, { method: 'POST', body: { revision: desired.revision, to, reason } });
    } finally {
      void client.invalidateQueries({ queryKey: ['desired'] });
    }
  };
  return (
    <>
      <Button size="small" icon={<RollbackOutlined />} onClick={() => setAsking(true)}>
        {t('desired.return')}
      </Button>
      {asking && (
        <AskReason
          title={t('desired.returnTo', { name: to === 0 ? t('desired.file') : t('desired.revision', { n: to }) })}
          hint={t('desired.returnMeans')}
          action={t('desired.return')}
          onAct={go}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}
