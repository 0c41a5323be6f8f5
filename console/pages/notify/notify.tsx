import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Segmented } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { IncidentAnswer, MessageAnswer } from '#grid/api/mod.ts';
import { call, useMay, useMe, usePages } from '../../api/mod.ts';
import { Ago, Failure, faultText, Moment, momentText, Nothing, Page, Panel, useFilter, Waiting } from '../../parts/mod.ts';
import { Settings } from './settings.tsx';

const RENEW_MS = 5_000;
const VIEWS = ['incidents', 'history', 'settings'] as const;
type View = (typeof VIEWS)[number];

/** Who is told of what: what goes on, what was sent to whom, who is on duty. */
export function Notify() {
  const { t } = useTranslation();
  const { ops } = useMay();
  const [view = 'incidents', setView] = useFilter('view');
  return (
    <Page
      title={t('notify.title')}
      beside={
        <Segmented
          aria-label={t('notify.title')}
          options={VIEWS.map((value) => ({ value, label: t(`notify.${value}`) }))}
          value={view as View}
          onChange={setView}
        />
      }
    >
      <div className="stack">
        {view === 'incidents' ? <Incidents /> : ops ? view === 'history' ? <History /> : <Settings /> : <NotOps />}
      </div>
    </Page>
  );
}

function NotOps() {
  const { t } = useTranslation();
  return <Nothing text={t('notify.noOps')} />;
}

function Incidents() {
  const { t } = useTranslation();
  const pages = usePages<IncidentAnswer>('notify', '/api/v1/notify/incidents', {}, true, RENEW_MS);
  if (pages.data === undefined) return pages.error ? <Failure error={pages.error} again={pages.refetch} /> : <Waiting />;
  return (
    <Panel title={t('notify.incidents')}>
      {pages.items.length === 0 && <Nothing text={t('notify.noIncidents')} />}
      <ul className="lines">
        {pages.items.map((incident) => (
          <Incident key={incident.id} incident={incident} />
        ))}
      </ul>
      <More pages={pages} />
    </Panel>
  );
}

/** Where each kind of subject is looked at. */
/** A case is known by what it is about; of its id so much tells it from others. */
const CASE_ID_SHOWN = 10;
const PLACES: Record<string, (id: string) => string> = {
  edge: (id) => `/devices/edge/${id}`,
  device: (id) => `/devices/sensor/${id}`,
  camera: (id) => `/cameras/${id}`,
  group: (id) => `/devices?group=${id}`,
  case: (id) => `/cases/${id}`,
  store: () => '/pipeline',
};

function Incident({ incident }: { incident: IncidentAnswer }) {
  const { t, i18n } = useTranslation();
  const { ops, command, supervision } = useRights();
  const { message } = App.useApp();
  const client = useQueryClient();
  const { id, topic, urgent, alerts, present, subjects, told, openedAt, acknowledgedBy, closedAt, escalatesAt } = incident;
  const zh = i18n.language.startsWith('zh');
  const acknowledge = async () => {
    await call(`/api/v1/notify/incidents/${id}/acknowledge`, { method: 'POST' }).catch((e: unknown) =>
      message.error(faultText(e)),
    );
    await client.invalidateQueries({ queryKey: ['notify'] });
  };
  return (
    <li className="incident">
      <b>{t(`notify.topic.${topic}`)}</b>
      {urgent && closedAt === null && <span className="tag bad">◆ {t('notify.urgent')}</span>}
      <span className="tag">{closedAt === null ? t('notify.count', { present, alerts }) : `✓ ${t('notify.over')}`}</span>
      {acknowledgedBy !== null && <span className="tag">✓ {t('notify.acknowledgedBy', { name: acknowledgedBy })}</span>}
      <span>
        {subjects.map((s) => (
          <Link key={`${s.of} ${s.id}`} className="subject" to={PLACES[s.of]?.(s.id) ?? '/'}>
            {s.of === 'case' ? <span title={s.id}>{s.id.slice(0, CASE_ID_SHOWN)}…</span> : s.id}{' '}
            <span className="dim">{zh ? s.noteZh : s.noteEn}</span>
          </Link>
        ))}
      </span>
      <span className="dim small">
        {told.length === 0 ? t('notify.nobody') : t('notify.told', { names: told.join(', ') })}
        {escalatesAt !== null && ` · ${t('notify.escalates', { time: momentText(escalatesAt) })}`}
      </span>
      {(ops || command || supervision) && acknowledgedBy === null && closedAt === null && (
        <Button size="small" type="primary" onClick={() => void acknowledge()}>
          {t('notify.acknowledge')}
        </Button>
      )}
      <Ago at={openedAt} />
    </li>
  );
}

function useRights() {
  const { ops } = useMay();
  const { roles } = useMe();
  return { ops, command: roles.includes('command'), supervision: roles.includes('supervision') };
}

const MESSAGE_SIGNS = { waiting: '○', sent: '●', failed: '✕' } as const;

function History() {
  const { t } = useTranslation();
  const pages = usePages<MessageAnswer>('notify', '/api/v1/notify/messages', {}, true, RENEW_MS);
  if (pages.data === undefined) return pages.error ? <Failure error={pages.error} again={pages.refetch} /> : <Waiting />;
  return (
    <Panel title={t('notify.history')}>
      {pages.items.length === 0 && <Nothing text={t('notify.noMessages')} />}
      <ul className="lines">
        {pages.items.map((m) => (
          <li key={m.id}>
            <span className={m.state === 'failed' ? 'tag bad' : 'tag'}>
              {MESSAGE_SIGNS[m.state]} {t(`notify.state.${m.state}`)}
            </span>
            <b>{m.title}</b>
            <span>
              {m.person} · {m.channel}
            </span>
            {m.attempts > 1 && <span className="dim">{t('notify.attempts', { n: m.attempts })}</span>}
            {m.fault !== null && <span className="bad-text cut">{m.fault}</span>}
            <Moment at={m.sentAt ?? m.createdAt} />
          </li>
        ))}
      </ul>
      <More pages={pages} />
    </Panel>
  );
}

function More({ pages }: { pages: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown } }) {
  const { t } = useTranslation();
  if (!pages.hasNextPage) return null;
  return (
    <Button loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
      {t('action.more')}
    </Button>
  );
}
