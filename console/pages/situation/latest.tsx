import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { EventAnswer, Page } from '#grid/api/mod.ts';
import { useThing } from '../../api/mod.ts';
import { Ago, Nothing, SeverityTag, Shown, useClassName } from '../../parts/mod.ts';

const LATEST = 4;

/** The newest events, as they come in. */
export function Latest() {
  const { t } = useTranslation();
  const className = useClassName();
  const latest = useThing<Page<EventAnswer>>(['latest'], `/api/v1/events?limit=${LATEST}`);
  return (
    <section className="urgent latest" aria-label={t('situation.latest')}>
      <h2>{t('situation.latest')}</h2>
      <Shown of={latest}>
        {({ items }) =>
          items.length === 0 ? (
            <Nothing text={t('events.empty')} />
          ) : (
            <ul>
              {items.map(({ record: { subject, data } }) => (
                <li key={subject} data-event={subject}>
                  <Link to={`/events/${subject}?view=all`}>
                    <b>{className(data.class)}</b>
                    <SeverityTag severity={data.severity} />
                    <span className="dim">{data.origin.by === 'sensor' ? data.origin.device : data.origin.camera}</span>
                    <span className="dim">
                      <Ago at={data.confirmedAt} />
                    </span>
                  </Link>
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
    </section>
  );
}
