import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { EdgeAnswer, PipelineAnswer, ReplicaAnswer } from '#grid/api/mod.ts';
import { useMay, useThing } from '../../api/mod.ts';
import { zh } from '../../i18n/mod.ts';
import { Chart } from '../../parts/chart_parts.ts';
import { Ago, DataAge, HealthTag, Page, Panel, ScrollX, Shown, useReason } from '../../parts/mod.ts';
import { DeadLetters } from './dead_letters.tsx';

const RENEW_MS = 2_000;
const MIB = 1024 * 1024;
const LANES = ['readings', 'events', 'health'] as const;

/** Where it hurts, in ten seconds: what is not ready stands out, what waits is counted, what was lost is listed. */
export function Pipeline() {
  const { t } = useTranslation();
  const { ops } = useMay();
  const asked = useThing<PipelineAnswer>(['pipeline'], '/api/v1/pipeline', RENEW_MS);
  return (
    <Page title={t('pipeline.title')} beside={<DataAge at={asked.dataUpdatedAt} />}>
      <div className="stack">
        <Shown of={asked}>
          {(data) => (
            <>
              <Stores of={data} />
              <div className="grid2">
                <Panel title={t('pipeline.throughput')}>
                  <Chart
                    label={t('pipeline.readings')}
                    unit={t('pipeline.perSecond', { n: '' })}
                    height={200}
                    series={{ x: data.history.map((h) => h.at / 1000), y: data.history.map((h) => h.readingsPerS), band: null }}
                  />
                </Panel>
                <Lanes of={data} />
              </div>
              {data.replicas !== null && <Replicas of={data.replicas} />}
            </>
          )}
        </Shown>
        <Edges />
        {ops ? <DeadLetters /> : <p className="dim small">{t('pipeline.noOps')}</p>}
      </div>
    </Page>
  );
}

function useStoreName(): (store: string) => string {
  const { t } = useTranslation();
  return (store) =>
    Object.hasOwn(zh.pipeline.store, store) ? t(`pipeline.store.${store as keyof typeof zh.pipeline.store}`) : store;
}

function Stores({ of }: { of: PipelineAnswer }) {
  const { t, i18n } = useTranslation();
  const name = useStoreName();
  return (
    <ul className="stores">
      {of.stores.map((store) => (
        <li key={store.name} className={store.ready ? 'store' : 'store bad'}>
          <span>{name(store.name)}</span>
          <b>
            <i aria-hidden="true">{store.ready ? '●' : '✕'}</i> {t(store.ready ? 'pipeline.ready' : 'pipeline.notReady')}
          </b>
          <span className="dim small">
            {store.code ??
              (store.name === 'evidence'
                ? `${(of.evidenceBytes / MIB).toLocaleString(i18n.language, { maximumFractionDigits: 1 })} MiB`
                : ' ')}
          </span>
        </li>
      ))}
      <li className={(of.deadLetters24h ?? 0) > 0 ? 'store warn' : 'store'}>
        <span>{t('pipeline.dead')}</span>
        <b>{of.deadLetters24h?.toLocaleString(i18n.language) ?? '–'}</b>
        <span className="dim small">{t('pipeline.dead24')}</span>
      </li>
    </ul>
  );
}

function Lanes({ of }: { of: PipelineAnswer }) {
  const { t, i18n } = useTranslation();
  return (
    <Panel title={t('nav.pipeline')}>
      <ScrollX label={t('nav.pipeline')}>
        <table className="plain">
          <thead>
            <tr>
              <th />
              <th className="number">{t('pipeline.throughput')}</th>
              <th className="number">{t('pipeline.lag')}</th>
              <th className="number">{t('pipeline.queue')}</th>
            </tr>
          </thead>
          <tbody>
            {LANES.map((name) => {
              const lane = of.lanes.find((l) => l.lane === name);
              return (
                <tr key={name}>
                  <th scope="row">{t(`pipeline.${name}`)}</th>
                  <td className="number">
                    {t('pipeline.perSecond', {
                      n: (lane?.storedPerS ?? 0).toLocaleString(i18n.language, { maximumFractionDigits: 1 }),
                    })}
                  </td>
                  <td className="number">{lane?.ackMsP95 == null ? '–' : `≤ ${lane.ackMsP95} ms`}</td>
                  <td className="number">{Math.round((lane?.queueBytes ?? 0) / 1024)} KiB</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </ScrollX>
    </Panel>
  );
}

/** The processes of the centre: one that was killed is silent, one that lacks a store says which. */
function Replicas({ of }: { of: readonly ReplicaAnswer[] }) {
  const { t, i18n } = useTranslation();
  const storeName = useStoreName();
  const rate = (n: number) => t('pipeline.perSecond', { n: n.toLocaleString(i18n.language, { maximumFractionDigits: 1 }) });
  return (
    <Panel title={t('pipeline.replicas')}>
      <ScrollX label={t('pipeline.replicas')}>
        <table className="plain">
          <thead>
            <tr>
              <th>{t('pipeline.replica')}</th>
              <th>{t('field.state')}</th>
              <th>{t('field.since')}</th>
              <th>{t('field.lastSeen')}</th>
              <th className="number">{t('pipeline.readings')}</th>
              <th className="number">{t('pipeline.events')}</th>
            </tr>
          </thead>
          <tbody>
            {of.map(({ name, here, running, startedAt, heardAt, readingsPerS, eventsPerS, notReady }) => (
              <tr key={name}>
                <th scope="row">
                  {name} {here && <span className="dim small">{t('pipeline.here')}</span>}
                </th>
                <td>
                  <HealthTag state={running ? (notReady.length === 0 ? 'online' : 'degraded') : 'offline'} />{' '}
                  {notReady.length > 0 && (
                    <span className="dim small">{`${t('pipeline.notReady')}: ${notReady.map(storeName).join(', ')}`}</span>
                  )}
                </td>
                <td>
                  <Ago at={startedAt} />
                </td>
                <td>
                  <Ago at={heardAt} />
                </td>
                <td className="number">{rate(readingsPerS)}</td>
                <td className="number">{rate(eventsPerS)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollX>
    </Panel>
  );
}

/** What waits at each edge is how far the centre is behind the city. */
function Edges() {
  const { t, i18n } = useTranslation();
  const reason = useReason();
  const edges = useThing<{ items: EdgeAnswer[] }>(['devices', 'edges'], '/api/v1/edges', RENEW_MS * 5);
  const number = (n: number) => n.toLocaleString(i18n.language);
  return (
    <Panel title={t('pipeline.edges')} beside={<DataAge at={edges.dataUpdatedAt} />}>
      <Shown of={edges}>
        {({ items }) => (
          <ScrollX label={t('pipeline.edges')}>
            <table className="plain">
              <thead>
                <tr>
                  <th>{t('field.edge')}</th>
                  <th>{t('field.state')}</th>
                  <th>{t('field.lastSeen')}</th>
                  <th className="number">{t('pipeline.readings')}</th>
                  {LANES.map((lane) => (
                    <th key={lane} className="number">
                      {t('pipeline.outbox')} · {t(`pipeline.${lane}`)}
                    </th>
                  ))}
                  <th className="number">{t('pipeline.dropped')}</th>
                  <th className="number">{t('pipeline.roundTrip')}</th>
                </tr>
              </thead>
              <tbody>
                {items.map((edge) => {
                  const value = (name: string) => edge.values[name] ?? 0;
                  const dropped = LANES.reduce((sum, lane) => sum + value(`outbox.${lane}.dropped`), 0);
                  return (
                    <tr key={edge.id}>
                      <th scope="row">
                        <Link to={`/devices/edge/${edge.id}`}>{edge.id}</Link>
                      </th>
                      <td>
                        <HealthTag state={edge.state} /> <span className="dim small">{reason(edge.reason)}</span>
                      </td>
                      <td>
                        <Ago at={edge.lastSeenAt} />
                      </td>
                      <td className="number">{t('pipeline.perSecond', { n: number(value('readingsPerS')) })}</td>
                      {LANES.map((lane) => (
                        <td key={lane} className="number">
                          {number(value(`outbox.${lane}.records`))}
                        </td>
                      ))}
                      <td className={dropped > 0 ? 'number bad-text' : 'number'}>
                        {dropped > 0 && <i aria-hidden="true">▲ </i>}
                        {number(dropped)}
                      </td>
                      <td className="number">{Math.round(value('uplinkRoundTripMs'))} ms</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </ScrollX>
        )}
      </Shown>
    </Panel>
  );
}
