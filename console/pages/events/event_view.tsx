import { CheckOutlined, CloseOutlined, LeftOutlined } from '@ant-design/icons';
import { Button, Input, Modal } from 'antd';
import { lazy, Suspense, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'react-router';
import { useMay } from '../../api/mod.ts';
import { type EventAnswer, VERDICT_REASONS, type VerdictReason } from '../../api/verdict_reasons.ts';
import { Ago, Facts, Moment, Nothing, SeverityTag, useClassName, Waiting } from '../../parts/mod.ts';
import { Clip, Picture } from '../../parts/picture.tsx';
import type { Judging } from './judging.tsx';

const Around = lazy(() => import('./around.tsx'));

/** One event: its evidence first, what can be said of it, and what it is. */
export function EventView({ event, judging }: { event: EventAnswer; judging: Judging }) {
  const { t } = useTranslation();
  const className = useClassName();
  const { search } = useLocation();
  const { data } = event.record;
  return (
    <>
      <header className="event-head">
        <Link className="only-narrow" to={{ pathname: '/events', search }} aria-label={t('action.back')}>
          <LeftOutlined />
        </Link>
        <h2>{className(data.class)}</h2>
        <SeverityTag severity={data.severity} />
        <span className={data.clearedAt === undefined ? 'tag high' : 'tag good'}>
          {t(data.clearedAt === undefined ? 'events.active' : 'events.over')}
        </span>
        {data.suppressed && <span className="tag">{t(`events.suppressed.${data.suppressed}`)}</span>}
        {data.late && <span className="tag">{t('events.late')}</span>}
        {data.children && <span className="tag">{t('events.children', { count: data.children.count })}</span>}
      </header>
      <Evidence event={event} />
      <Verdicts event={event} judging={judging} />
      <What event={event} />
      {judging.asking && <Reasons judging={judging} />}
    </>
  );
}

function Evidence({ event }: { event: EventAnswer }) {
  const { t } = useTranslation();
  const { evidence, origin } = event.record.data;
  const pictures = evidence.filter((e) => e.mediaType === 'image/jpeg');
  const [chosen, setChosen] = useState(0);
  const picture = pictures[Math.min(chosen, pictures.length - 1)];
  const clips = evidence.filter((e) => e.mediaType === 'video/mp4');
  return (
    <div className="evidence">
      {picture && <Picture key={picture.sha256} sha256={picture.sha256} alt={t('cases.evidence')} />}
      {clips.map((clip) => (
        <Clip key={clip.sha256} sha256={clip.sha256} />
      ))}
      {pictures.length > 1 && (
        <div className="bar">
          {pictures.map((p, i) => (
            <Button key={p.sha256} size="small" type={p === picture ? 'primary' : 'default'} onClick={() => setChosen(i)}>
              {i + 1}
            </Button>
          ))}
        </div>
      )}
      {origin.by === 'sensor' ? (
        <Suspense fallback={<Waiting rows={4} />}>
          <Around event={event} />
        </Suspense>
      ) : (
        picture === undefined && clips.length === 0 && <Nothing text={t('events.noEvidence')} />
      )}
    </div>
  );
}

function Verdicts({ event, judging }: { event: EventAnswer; judging: Judging }) {
  const { t } = useTranslation();
  const { judge } = useMay();
  const { verdict } = event;
  if (verdict !== null)
    return (
      <div className="verdict-bar">
        <span className={verdict.verdict === 'accepted' ? 'tag good' : 'tag bad'}>
          {verdict.verdict === 'accepted' ? <CheckOutlined /> : <CloseOutlined />}
          {t(verdict.verdict === 'accepted' ? 'events.acceptedBy' : 'events.rejectedBy', { name: verdict.by })}
        </span>
        {verdict.reason && <span>{t(`verdictReason.${verdict.reason}`)}</span>}
        {verdict.note && <q>{verdict.note}</q>}
        <Ago at={verdict.at} />
        {judge && (
          <Button size="small" loading={judging.busy} onClick={judging.undo}>
            {t('events.undo')}
          </Button>
        )}
      </div>
    );
  if (!judge) return <p className="verdict-bar dim">{t('events.cannotJudge')}</p>;
  return (
    <div className="verdict-bar">
      <Button type="primary" icon={<CheckOutlined />} disabled={judging.busy} onClick={judging.accept}>
        {t('events.accept')} <kbd>A</kbd>
      </Button>
      <Button danger icon={<CloseOutlined />} disabled={judging.busy} onClick={judging.ask}>
        {t('events.reject')} <kbd>R</kbd>
      </Button>
      {event.record.data.suppressed === 'fixture' && <span className="small">{t('events.fixture')}</span>}
      <span className="dim small not-narrow">{t('events.keys')}</span>
    </div>
  );
}

/** A reason is one more key: its number. */
function Reasons({ judging }: { judging: Judging }) {
  const { t } = useTranslation();
  const [note, setNote] = useState('');
  const choose = (reason: VerdictReason) => {
    const text = note.trim();
    judging.reject({ verdict: 'rejected', reason, ...(text === '' ? {} : { note: text }) });
  };
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      const reason = VERDICT_REASONS[Number(e.key) - 1];
      if (reason === undefined || (e.target as HTMLElement).tagName === 'TEXTAREA') return;
      e.preventDefault();
      choose(reason);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });
  return (
    <Modal open title={t('events.why')} footer={null} onCancel={judging.cancel} width={420}>
      <div className="reasons">
        {VERDICT_REASONS.map((reason, i) => (
          <Button key={reason} block disabled={judging.busy} onClick={() => choose(reason)}>
            <kbd>{i + 1}</kbd> {t(`verdictReason.${reason}`)}
          </Button>
        ))}
        <Input.TextArea
          aria-label={t('events.note')}
          placeholder={t('events.note')}
          value={note}
          maxLength={500}
          autoSize={{ minRows: 1, maxRows: 4 }}
          onChange={(e) => setNote(e.target.value)}
        />
      </div>
    </Modal>
  );
}

function What({ event }: { event: EventAnswer }) {
  const { t } = useTranslation();
  const { subject, data } = event.record;
  const { origin, place } = data;
  return (
    <Facts
      rows={[
        [
          t('events.toCase'),
          event.case === null ? (
            t('events.noCase')
          ) : (
            <Link key="case" to={`/cases/${event.case}`}>
              {t('action.open')} ›
            </Link>
          ),
        ],
        origin.by === 'sensor'
          ? [
              t('field.device'),
              <Link key="device" to={`/devices/sensor/${origin.device}`}>
                {origin.device}
              </Link>,
            ]
          : [
              t('field.camera'),
              <Link key="camera" to={`/devices/camera/${origin.camera}`}>
                {origin.camera}
              </Link>,
            ],
        origin.by === 'sensor' ? [t('field.rule'), origin.rule] : [t('field.zone'), origin.zone],
        origin.by === 'sensor' ? [t('field.value'), `${origin.field} = ${origin.value}`] : [t('field.model'), origin.model],
        [t('field.confidence'), `${Math.round(data.confidence * 100)} %`],
        [t('field.confirmed'), <Moment key="confirmed" at={data.confirmedAt} />],
        data.clearedAt === undefined ? null : [t('field.cleared'), <Moment key="cleared" at={data.clearedAt} />],
        [t('field.cell'), place.cell],
        [t('field.component'), place.component ?? '–'],
        [t('field.place'), `${place.lon.toFixed(6)}, ${place.lat.toFixed(6)} ± ${Math.round(place.errorRadiusM)} m`],
        [t('field.edge'), data.edge],
        [
          t('field.id'),
          <span key="id" className="mono">
            {subject}
          </span>,
        ],
      ]}
    />
  );
}
