import { Segmented } from 'antd';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type {
  CameraAnswer,
  DeviceAnswer,
  EdgeAnswer,
  FirmwareAnswer,
  GroupAnswer,
  MaintenanceNow,
  ScoreAnswer,
} from '#grid/api/mod.ts';
import type { HealthState } from '#grid/wire/mod.ts';
import { useCatalogue, usePages, useThing } from '../../api/mod.ts';
import {
  Ago,
  ClearFilters,
  type Column,
  HealthTag,
  MaintenanceTag,
  Page,
  pickLabel,
  Rows,
  SearchFilter,
  SelectFilter,
  useFilter,
  useKindName,
  useReason,
} from '../../parts/mod.ts';
import { BulkBar, useChosen } from './bulk.tsx';
import { Upkeep } from './upkeep.tsx';

const OF = ['sensors', 'cameras', 'edges', 'upkeep'] as const;
type Of = (typeof OF)[number];
const LANES = ['events', 'health', 'readings'] as const;
const SCORES_MS = 10_000;
const STATES: readonly HealthState[] = ['online', 'degraded', 'offline', 'unknown'];

/** Every sensor, camera and edge node, and how it is. What is looked for stands in the URL. */
export function Devices() {
  const { t } = useTranslation();
  const [of = 'sensors', setOf] = useFilter('of');
  const catalogue = useCatalogue();
  const edges = useThing<{ items: EdgeAnswer[] }>(['devices', 'edges'], '/api/v1/edges');
  return (
    <Page
      fill
      title={t('devices.title')}
      beside={
        <>
          <Segmented
            aria-label={t('field.kind')}
            options={OF.map((value) => ({ value, label: t(`devices.${value}`) }))}
            value={of as Of}
            onChange={setOf}
          />
          {of !== 'upkeep' && (
            <>
              <SearchFilter />
              <SelectFilter
                name="state"
                label={t('filter.state')}
                options={STATES.map((value) => ({ value, label: t(`health.${value}`) }))}
              />
            </>
          )}
          {of === 'sensors' && (
            <SelectFilter
              name="kind"
              label={t('filter.kind')}
              options={(catalogue?.deviceKinds ?? []).map((k) => ({ value: k.kind, label: pickLabel(k) }))}
            />
          )}
          {(of === 'sensors' || of === 'cameras') && <GroupFilter />}
          {(of === 'sensors' || of === 'cameras') && <FirmwareFilter of={of === 'sensors' ? 'device' : 'camera'} />}
          {of !== 'edges' && (
            <SelectFilter
              name="edge"
              label={t('filter.edge')}
              options={(edges.data?.items ?? []).map(({ id }) => ({ value: id, label: id }))}
            />
          )}
          <ClearFilters />
        </>
      }
    >
      {of === 'upkeep' ? <Upkeep /> : of === 'edges' ? <Edges /> : of === 'cameras' ? <Cameras /> : <Sensors />}
    </Page>
  );
}

function GroupFilter() {
  const { t } = useTranslation();
  const groups = useThing<{ items: GroupAnswer[] }>(['upkeep', 'groups'], '/api/v1/upkeep/groups');
  const options = (groups.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name }));
  return <SelectFilter name="group" label={t('filter.group')} options={options} />;
}

/** With how many each runs on: an old one that is left over is found here. */
function FirmwareFilter({ of }: { of: FirmwareAnswer['items'][number]['of'] }) {
  const { t } = useTranslation();
  const [firmware] = useFilter('firmware');
  const asked = useThing<FirmwareAnswer>(['devices', 'firmware'], '/api/v1/upkeep/firmware');
  const known = (asked.data?.items ?? []).filter((f) => f.of === of);
  if (known.length === 0 && firmware === undefined) return null;
  const options = known.map((f) => ({ value: f.firmware, label: `${f.firmware} (${f.count})` }));
  return <SelectFilter name="firmware" label={t('field.firmware')} options={options} />;
}

function useQueryOf() {
  const [q] = useFilter('q');
  const [state] = useFilter('state');
  const [edge] = useFilter('edge');
  const [cell] = useFilter('cell');
  const [group] = useFilter('group');
  return { q, state, edge, cell, group };
}

interface Thing {
  id: string;
  state: HealthState;
  reason: string;
  since: number | null;
  lastSeenAt: number | null;
  firmware: string | null;
  maintenance: MaintenanceNow;
}

/** What all three have. */
function useColumns<T extends Thing>(): Record<'id' | 'state' | 'since' | 'lastSeen' | 'firmware', Column<T>> {
  const { t } = useTranslation();
  const reason = useReason();
  return useMemo(
    () => ({
      id: { key: 'id', label: t('field.id'), width: 'minmax(110px, 1.4fr)', draw: ({ id }) => <b>{id}</b> },
      state: {
        key: 'state',
        label: t('field.state'),
        width: 'minmax(214px, 1.6fr)',
        wraps: true,
        draw: (thing) => (
          <>
            <HealthTag state={thing.state} />
            <MaintenanceTag now={thing.maintenance} short />
            <span className="dim">{reason(thing.reason)}</span>
          </>
        ),
      },
      since: { key: 'since', label: t('field.since'), width: '92px', wide: true, draw: ({ since }) => <Ago at={since} /> },
      firmware: {
        key: 'firmware',
        label: t('field.firmware'),
        width: '80px',
        wide: true,
        draw: (thing) => thing.firmware ?? <span className="dim">–</span>,
      },
      lastSeen: { key: 'seen', label: t('field.lastSeen'), width: '92px', draw: ({ lastSeenAt }) => <Ago at={lastSeenAt} /> },
    }),
    [reason, t],
  );
}

function Sensors() {
  const { t } = useTranslation();
  const [kind] = useFilter('kind');
  const [firmware] = useFilter('firmware');
  const kindName = useKindName();
  const pages = usePages<DeviceAnswer>('devices', '/api/v1/devices', { ...useQueryOf(), kind, firmware });
  const common = useColumns<DeviceAnswer>();
  const columns = useMemo<Column<DeviceAnswer>[]>(() => {
    const { id, state, since, lastSeen, firmware: firmwareColumn } = common;
    return [
      id,
      state,
      { key: 'kind', label: t('field.kind'), width: 'minmax(90px, 1fr)', wraps: true, draw: (d) => kindName(d.kind) },
      lastSeen,
      since,
      { key: 'battery', label: t('field.battery'), width: '70px', wide: true, draw: (d) => measure(d.batteryV, 'V', 2) },
      { key: 'signal', label: t('field.signal'), width: '76px', wide: true, draw: (d) => measure(d.rssiDbm, 'dBm', 0) },
      firmwareColumn,
      { key: 'edge', label: t('field.edge'), width: '80px', wide: true, draw: (d) => d.edge },
    ];
  }, [common, kindName, t]);
  const chosen = useChosen('device', pages.items);
  return (
    <>
      <BulkBar chosen={chosen} />
      <Rows
        label={t('devices.sensors')}
        pages={pages}
        columns={columns}
        to={(d) => `/devices/sensor/${d.id}`}
        empty={t('devices.empty')}
        select={chosen.select}
      />
    </>
  );
}

function measure(value: number | null, unit: string, digits: number) {
  return value === null ? <span className="dim">–</span> : `${value.toFixed(digits)} ${unit}`;
}

function Cameras() {
  const { t } = useTranslation();
  const [firmware] = useFilter('firmware');
  const pages = usePages<CameraAnswer>('devices', '/api/v1/cameras', { ...useQueryOf(), firmware });
  const common = useColumns<CameraAnswer>();
  const columns = useMemo<Column<CameraAnswer>[]>(() => {
    const { id, state, since, lastSeen, firmware: firmwareColumn } = common;
    return [
      id,
      state,
      {
        key: 'fps',
        label: t('cameras.title'),
        width: '110px',
        draw: (c) => t('cameras.fps', { n: (c.values.analysedFps ?? 0).toFixed(1) }),
      },
      { key: 'dropped', label: t('devices.dropped'), width: '80px', wide: true, draw: (c) => c.values.droppedFrames ?? 0 },
      lastSeen,
      since,
      { key: 'zones', label: t('field.zone'), width: '90px', wide: true, draw: (c) => t('devices.zones', { n: c.zones }) },
      firmwareColumn,
      { key: 'edge', label: t('field.edge'), width: '80px', wide: true, draw: (c) => c.edge },
    ];
  }, [common, t]);
  const chosen = useChosen('camera', pages.items);
  return (
    <>
      <BulkBar chosen={chosen} />
      <Rows
        label={t('devices.cameras')}
        pages={pages}
        columns={columns}
        to={(c) => `/devices/camera/${c.id}`}
        empty={t('cameras.empty')}
        select={chosen.select}
      />
    </>
  );
}

/** What an edge counts of its outbox, all lanes together. */
const ofLanes = ({ values }: EdgeAnswer, what: 'records' | 'dropped') =>
  LANES.reduce((sum, lane) => sum + (values[`outbox.${lane}.${what}`] ?? 0), 0);

/** All of them come at once: a centre has 500 at most. */
function Edges() {
  const { t } = useTranslation();
  const { q, state } = useQueryOf();
  const asked = useThing<{ items: EdgeAnswer[] }>(['devices', 'edges'], '/api/v1/edges');
  const common = useColumns<EdgeAnswer>();
  const scores = useThing<{ items: ScoreAnswer[] }>(['upkeep', 'scores'], '/api/v1/upkeep/scores', SCORES_MS);
  const wanted = (e: EdgeAnswer) => (state === undefined || e.state === state) && (q === undefined || e.id.includes(q));
  const columns = useMemo<Column<EdgeAnswer>[]>(() => {
    const { id, state: health, since, lastSeen, firmware } = common;
    const scoreOf = (edge: EdgeAnswer) => scores.data?.items.find((s) => s.of === 'edge' && s.id === edge.id)?.score;
    return [
      id,
      health,
      { key: 'score', label: t('upkeep.score'), width: '70px', wide: true, draw: (e) => scoreOf(e) ?? '–' },
      {
        key: 'has',
        label: t('devices.title'),
        width: 'minmax(190px, 1.5fr)',
        wide: true,
        draw: (e) => t('devices.devicesOf', { n: e.devices, c: e.cameras, g: e.cells }),
      },
      { key: 'waiting', label: t('devices.waiting'), width: '80px', wide: true, draw: (e) => ofLanes(e, 'records') },
      { key: 'dropped', label: t('devices.dropped'), width: '80px', wide: true, draw: (e) => ofLanes(e, 'dropped') },
      firmware,
      lastSeen,
      since,
    ];
  }, [common, scores.data, t]);
  const pages = {
    ...asked,
    items: (asked.data?.items ?? []).filter(wanted),
    hasNextPage: false,
    isFetchingNextPage: false,
    fetchNextPage: () => undefined,
  };
  const chosen = useChosen('edge', pages.items);
  return (
    <>
      <BulkBar chosen={chosen} />
      <Rows
        label={t('devices.edges')}
        pages={pages}
        columns={columns}
        to={(e) => `/devices/edge/${e.id}`}
        empty={t('devices.empty')}
        select={chosen.select}
      />
    </>
  );
}
