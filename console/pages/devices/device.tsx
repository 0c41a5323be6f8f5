import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import type { CameraAnswer, DeviceAnswer, EdgeAnswer, EventAnswer, HistoryAnswer, Page as PageOf } from '#grid/api/mod.ts';
import { useCatalogue, useThing, withQuery } from '../../api/mod.ts';
import {
  Ago,
  Facts,
  HealthTag,
  Moment,
  Nothing,
  Page,
  Panel,
  SeverityTag,
  Shown,
  useClassName,
  useKindName,
  useReason,
} from '../../parts/mod.ts';
import { Readings } from './readings.tsx';

const PATHS = { sensor: 'devices', camera: 'cameras', edge: 'edges' } as const;
type Of = keyof typeof PATHS;
const isOf = (of: string | undefined): of is Of => of !== undefined && Object.hasOwn(PATHS, of);
const EVENTS_SHOWN = 10;
const HISTORY_SHOWN = 50;

/** One thing: how it is and was, what it measures, what it has reported. */
export function Device() {
  const { of, id = '' } = useParams();
  return isOf(of) ? <One key={`${of} ${id}`} of={of} id={id} /> : <Nothing text="404" />;
}

function One({ of, id }: { of: Of; id: string }) {
  const { t } = useTranslation();
  const path = `/api/v1/${PATHS[of]}/${id}`;
  const thing = useThing<DeviceAnswer | CameraAnswer | EdgeAnswer>(['devices', of, id], path);
  return (
    <Page title={id} back={{ to: `/devices?of=${of}s`, label: t(`devices.${of}s`) }}>
      <Shown of={thing}>
        {(data) => (
          <div className="stack">
            <Panel title={<HealthTag state={data.state} />} beside={<Since at={data.since} reason={data.reason} />}>
              <What of={of} thing={data} />
            </Panel>
            {of === 'sensor' && 'kind' in data && <OfKind id={id} kind={data.kind} />}
            <div className="grid2">
              {of === 'edge' ? <Counters values={data.values} /> : <Events source={id} />}
              <History path={`${path}/history`} of={of} id={id} />
            </div>
            {of === 'camera' && <Counters values={data.values} />}
          </div>
        )}
      </Shown>
    </Page>
  );
}

function Since({ at, reason }: { at: number | null; reason: string }) {
  const text = useReason();
  return (
    <span className="dim">
      {text(reason)} · <Ago at={at} />
    </span>
  );
}

function What({ of, thing }: { of: Of; thing: DeviceAnswer | CameraAnswer | EdgeAnswer }) {
  const { t } = useTranslation();
  const kindName = useKindName();
  const { lastSeenAt } = thing;
  if (!('lon' in thing))
    return (
      <Facts
        rows={[
          [t('field.lastSeen'), <Ago key="seen" at={lastSeenAt} />],
          [t('devices.title'), t('devices.devicesOf', { n: thing.devices, c: thing.cameras, g: thing.cells })],
        ]}
      />
    );
  const sensor = of === 'sensor' && 'kind' in thing ? thing : null;
  const camera = 'zones' in thing ? thing : null;
  return (
    <Facts
      rows={[
        sensor && [t('field.kind'), kindName(sensor.kind)],
        [t('field.lastSeen'), <Ago key="seen" at={lastSeenAt} />],
        sensor && [t('field.lastReading'), <Ago key="read" at={sensor.lastReadingAt} />],
        sensor && [t('field.battery'), sensor.batteryV === null ? '–' : `${sensor.batteryV.toFixed(2)} V`],
        sensor && [t('field.signal'), sensor.rssiDbm === null ? '–' : `${sensor.rssiDbm} dBm`],
        camera && [t('field.zone'), t('devices.zones', { n: camera.zones })],
        [
          t('field.edge'),
          <Link key="edge" to={`/devices/edge/${thing.edge}`}>
            {thing.edge}
          </Link>,
        ],
        [t('field.cell'), thing.cell ?? '–'],
        [t('field.component'), thing.component ?? '–'],
        [t('field.place'), `${thing.lon.toFixed(6)}, ${thing.lat.toFixed(6)}`],
      ]}
    />
  );
}

function OfKind({ id, kind }: { id: string; kind: string }) {
  const known = useCatalogue()?.deviceKinds.find((k) => k.kind === kind);
  return known === undefined ? null : <Readings device={id} kind={known} />;
}

function Events({ source }: { source: string }) {
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

function History({ path, of, id }: { path: string; of: Of; id: string }) {
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

/** What the edge counts, under its own names: the log and /metrics use the same. */
function Counters({ values }: { values: Record<string, number> }) {
  const { t, i18n } = useTranslation();
  const entries = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return null;
  return (
    <Panel title={t('devices.counters')}>
      <dl className="counters">
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt className="mono">{name}</dt>
            <dd>{value.toLocaleString(i18n.language)}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
