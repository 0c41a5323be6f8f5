import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { EventAnswer, HistoryAnswer, Page as PageOf } from '#grid/api/mod.ts';
import { useThing, withQuery } from '../api/mod.ts';
import { zh } from '../i18n/mod.ts';
import { HealthTag, SeverityTag, useClassName, useReason } from './names.tsx';
import { Nothing, Panel, Shown } from './page.tsx';
import { Ago, Moment } from './time.tsx';

/** What a page of a sensor, a camera or an edge tells beside what it is. */

const EVENTS_SHOWN = 10;
const HISTORY_SHOWN = 50;

/** Why it is as it is, and for how long. */
export function Since({ at, reason }: { at: number | null; reason: string }) {
  const text = useReason();
  return (
    <span className="dim">
      {text(reason)} · <Ago at={at} />
    </span>
  );
}

/** The newest of what it has reported. */
export function EventsOf({ source }: { source: string }) {
  const { t } = useTranslation();
  const className = useClassName();
  const events = useThing<PageOf<EventAnswer>>(
    ['events', 'of', source],
    withQuery('/api/v1/events', { source, limit: EVENTS_SHOWN }),
  );
  return (
    <Panel title={t('devices.events')} beside={<Link to={`/events?view=all&source=${source}`}>{t('devices.allEvents')}</Link>}>
      <Shown of={events} rows={3}>
        {({ items }) =>
          items.length === 0 ? (
            <Nothing text={t('events.empty')} />
          ) : (
            <ul className="lines">
              {items.map(({ record: { subject, data } }) => (
                <li key={subject}>
                  <SeverityTag severity={data.severity} />
                  <Link to={`/events/${subject}?view=all`}>{className(data.class)}</Link>
                  <span className="dim">{t(data.clearedAt === undefined ? 'events.active' : 'events.over')}</span>
                  <Ago at={data.confirmedAt} />
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
    </Panel>
  );
}

/** How it was, newest first. */
export function HistoryOf({ path, of, id }: { path: string; of: string; id: string }) {
  const { t } = useTranslation();
  const reason = useReason();
  const history = useThing<HistoryAnswer>(['devices', 'history', of, id], withQuery(path, { limit: HISTORY_SHOWN }));
  return (
    <Panel title={t('devices.history')}>
      <Shown of={history} rows={3}>
        {({ items }) =>
          items.length === 0 ? (
            <Nothing text={t('devices.noHistory')} />
          ) : (
            <ul className="lines">
              {items.map((entry) => (
                <li key={`${entry.ts} ${entry.state}`}>
                  <HealthTag state={entry.state} />
                  <span>{reason(entry.reason)}</span>
                  <Moment at={entry.ts} />
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
    </Panel>
  );
}

/** What the edge counts, in words; the name that it has in the API on pointing. */
export function Counters({ values }: { values: Record<string, number> }) {
  const { t, i18n } = useTranslation();
  const nameOf = useCounterName();
  const entries = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return null;
  return (
    <Panel title={t('devices.counters')}>
      <dl className="counters">
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt title={name}>{nameOf(name)}</dt>
            <dd>{value.toLocaleString(i18n.language)}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

/** One that we have no words for is shown as it is. */
function useCounterName(): (name: string) => string {
  const { t } = useTranslation();
  const { counter } = zh;
  return (name) => {
    const [first = '', second = '', third = ''] = name.split('.');
    if (first === 'outbox' && isIn(counter.lane, second) && isIn(counter.what, third))
      return t('counter.outbox', { lane: t(`counter.lane.${second}`), what: t(`counter.what.${third}`) });
    if (first === 'dropped') return t('counter.droppedOf', { device: name.slice(first.length + 1) });
    const { lane, what, outbox, droppedOf, ...plain } = counter;
    return isIn(plain, name) ? t(`counter.${name}`) : name;
  };
}

const isIn = <T extends object>(texts: T, key: string): key is Extract<keyof T, string> => Object.hasOwn(texts, key);
