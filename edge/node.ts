import { join } from 'node:path';
import { createCellIndex, type Site } from '#grid/mod.ts';
import { DESIRED_VALUES, type HealthLine, LANES } from '#grid/wire/mod.ts';
import { type Clock, createMetrics, type Log, type Metrics, type Service, startAll, stopAll } from '#service/mod.ts';
import { createBroker, type MqttBroker } from '#service/mqtt/mod.ts';
import { Accounts } from './accounts.ts';
import { Trail } from './audit/mod.ts';
import { createDevicePolicy, replayPayload } from './broker/mod.ts';
import { type CameraPipeline, createCameraPipeline } from './cameras/mod.ts';
import { CentreApi } from './centre/mod.ts';
import type { EdgeConfig } from './config.ts';
import { createFromCentre, type StartingDesired, type StartingModel } from './desired/mod.ts';
import type { EventSink, HealthSink } from './events.ts';
import { EvidenceRoom } from './evidence/mod.ts';
import { NodeHealth, ProbeServer } from './health/mod.ts';
import { LiveViews } from './live/mod.ts';
import { Mappings } from './mapping/mod.ts';
import { Outbox, type SalvageReport } from './outbox/mod.ts';
import { PushServer } from './push/mod.ts';
import { createRegistry } from './registry.ts';
import { RuleEngine } from './rules/mod.ts';
import { SensorIntake } from './sensors/mod.ts';
import { countingRepeats } from './told.ts';
import { CaseStateMap, CommandDispatcher, Uplink } from './uplink/mod.ts';

export interface EdgeNode extends Service {
  /** Of the devices' broker, after `start`. */
  readonly brokerPort: number;
  /** Of the push listener, after `start`; 0 when there is none. */
  readonly pushPort: number;
  /** Of the probes, after `start`; 0 when there are none. */
  readonly probePort: number;
  readonly outbox: Outbox;
  readonly metrics: Metrics;
}

export interface EdgeNodeDeps {
  config: EdgeConfig;
  /** From `openDesired` and `openStartingModel`; without it the node takes nothing from the centre and does not speak of it. */
  fromCentre?: { desired: StartingDesired; model: StartingModel };
  log: Log;
  clock: Clock;
}

const HOUR_MS = 3_600_000;

/**
 * Composition root of an edge node.
 *
 *   broker --> sensors --> outbox --> uplink
 *                 |          ^
 *                 +-> rules -+
 *   cameras ------> zones ---+
 *      +--> evidence --> the centre's API
 */
export function createEdgeNode({ config, fromCentre, log, clock }: EdgeNodeDeps): EdgeNode {
  const metrics = createMetrics();
  const edge = config.edge.id;
  const site = fromCentre?.desired.site ?? config.site;
  const outbox = new Outbox({
    file: join(config.edge.dataDir, 'outbox.db'),
    quotaBytes: config.outbox.quotaBytes,
    ageMsMax: config.outbox.ageHoursMax * HOUR_MS,
    log,
    metrics,
  });
  const events = countingRepeats({ emit: (event) => outbox.append('events', [toLine(event)]) }, metrics);
  const health: HealthSink = { report: (record) => outbox.append('health', [toLine(record)]) };
  outbox.onSalvaged((report) => tellSalvage(report, { edge, health, clock, log }));
  const registry = createRegistry(site, createCellIndex(site.cells), config.edge.profile);
  const caseStates = new CaseStateMap();
  const commands = new CommandDispatcher({ log });
  commands.on('case-state', (command) => caseStates.tell(command));
  const trail = new Trail({ dir: join(config.edge.dataDir, 'audit'), edge, health, clock, log });
  const centre = createCentreApi(config, clock);
  const evidence = createEvidence({ config, centre, trail, clock, log, metrics });
  commands.on('release-original', (command) => evidence.release(command));
  const vision = { ...config.vision, model: fromCentre?.model.folder ?? config.vision.model };
  const cameras = createCameras({
    config: { ...config, vision },
    site,
    events,
    health,
    caseStates,
    evidence,
    clock,
    log,
    metrics,
  });
  const secondSources = site.cameras.length > 0 ? cameras : null;
  const rules = new RuleEngine({ edge, registry, outbox, secondSources, clock, log });
  const wanted = fromCentre ? createFromCentre({ config, centre, ...fromCentre, cameras, registry, health, clock, log }) : null;
  const desired = wanted?.keeper;
  const live = createLive({ config, cameras, trail, clock, log, metrics });
  commands.on('camera-reference', ({ camera }) => {
    cameras.renewReference(camera).catch((err: unknown) => log.warn({ camera, err }, 'reference picture'));
  });
  commands.on('live', (command) => live.show(command));
  const uplink = new Uplink({
    edge,
    url: config.uplink.url,
    password: config.uplink.password,
    tls: config.uplink.tls,
    outbox,
    commands,
    ...(desired ? { config: desired } : {}),
    clock,
    log,
    metrics,
  });
  const nodeHealth = new NodeHealth({ edge, registry, health, values: () => nodeValues(), clock, log });
  const sensors = new SensorIntake({
    edge,
    registry,
    outbox,
    rules,
    seen: (device) => nodeHealth.seen(device),
    announced: (device, said) => nodeHealth.announced(device, said),
    report: config.report,
    clock,
    metrics,
  });
  const connected = (name: string) => nodeHealth.connected(name);
  const accounts = new Accounts(registry, site.gateways);
  const mappings = new Mappings({ mappers: config.mappings, sensors, clock, metrics });
  const policy = createDevicePolicy({ accounts, mappings, sensors, connected });
  commands.on('replay-payload', (command) => {
    replayPayload({ policy, trail, log }, command).catch((err: unknown) => log.warn({ err }, 'a payload was not taken again'));
  });
  const broker: MqttBroker = createBroker({ listener: config.broker, limits: config.broker.limits, policy, log, metrics });

  let [countedReadings, countedAt] = [0, clock.monotonic()];
  /** Since the last report. */
  function readingsPerS(): number {
    const [{ readings }, now] = [sensors.totals, clock.monotonic()];
    const perS = ((readings - countedReadings) * 1000) / Math.max(1, now - countedAt);
    [countedReadings, countedAt] = [readings, now];
    return Math.round(perS * 10) / 10;
  }

  function nodeValues(): Record<string, number> {
    const depth = LANES.flatMap((lane): [string, number][] => [
      [`outbox.${lane}.records`, outbox.stats[lane].records],
      [`outbox.${lane}.dropped`, outbox.stats[lane].dropped],
      [`outbox.${lane}.quarantined`, outbox.stats[lane].quarantined],
    ]);
    return {
      ...Object.fromEntries(depth),
      ...Object.fromEntries(outbox.mostDropped.map(([device, count]) => [`dropped.${device}`.slice(0, 64), count])),
      ...sensors.totals,
      readingsPerS: readingsPerS(),
      uplinkConnected: uplink.connected ? 1 : 0,
      uplinkRoundTripMs: uplink.roundTripMs,
      ...(desired?.ignored === false
        ? { [DESIRED_VALUES.running]: desired.running, [DESIRED_VALUES.judged]: desired.judged }
        : {}),
    };
  }

  const missing = () =>
    Object.entries({ broker: broker.listening, outbox: outbox.working, uplink: uplink.connected }).flatMap(([name, ok]) =>
      ok ? [] : [name],
    );
  const push = config.push ? new PushServer({ listener: config.push, accounts, mappings, log, metrics }) : null;
  const probes = config.probes ? new ProbeServer({ ...config.probes, metrics, missing }) : null;
  // Devices come last: when the first one connects, everything behind the broker stands. Stopping goes the other way.
  const services: Service[] = [
    outbox,
    uplink,
    rules,
    nodeHealth,
    ...(probes ? [probes] : []),
    trail,
    centre,
    evidence,
    cameras,
    live,
    broker,
    ...(push ? [push] : []),
    ...(wanted?.services ?? []),
  ];

  return {
    outbox,
    metrics,
    get brokerPort() {
      return broker.port;
    },
    get pushPort() {
      return push?.port ?? 0;
    },
    get probePort() {
      return probes?.port ?? 0;
    },
    async start() {
      await startAll(services);
      log.info({ edge, brokerPort: broker.port, devices: registry.size, cameras: site.cameras.length }, 'edge node runs');
    },
    stop: () => stopAll(services),
  };
}

/** A damaged outbox is a state of the node that the centre hears of, with what it cost. */
function tellSalvage(
  { saved, lost }: SalvageReport,
  { edge, health, clock, log }: { edge: string; health: HealthSink; clock: Clock; log: Log },
): void {
  const now = clock.now();
  const values = Object.fromEntries(
    LANES.flatMap((lane): [string, number][] => [
      [`outbox.${lane}.saved`, saved[lane]],
      [`outbox.${lane}.lost`, lost[lane]],
    ]),
  );
  health
    .report({ ts: now, edge, of: 'edge', id: edge, state: 'degraded', reason: 'outbox-damaged', since: now, values })
    .catch((error: Error) => log.warn({ error: error.message }, 'a health record was lost'));
}

interface CameraDeps {
  config: EdgeConfig;
  site: Site;
  events: EventSink;
  health: HealthSink;
  caseStates: CaseStateMap;
  evidence: EvidenceRoom;
  clock: Clock;
  log: Log;
  metrics: Metrics;
}

function createCameras({ config, ...deps }: CameraDeps): CameraPipeline {
  const { edge, vision } = config;
  return createCameraPipeline({
    ...deps,
    profile: edge.profile,
    vision,
    dataDir: edge.dataDir,
    edgeId: edge.id,
  });
}

interface LiveDeps extends Pick<CameraDeps, 'config' | 'clock' | 'log' | 'metrics'> {
  cameras: CameraPipeline;
  trail: Trail;
}

function createLive({ config, ...deps }: LiveDeps): LiveViews {
  const { edge, uplink, live } = config;
  return new LiveViews({
    ...deps,
    edge: edge.id,
    config: live,
    url: uplink.apiUrl,
    password: uplink.password,
    tls: uplink.apiTls,
  });
}

function createCentreApi({ edge, uplink }: EdgeConfig, clock: Clock): CentreApi {
  return new CentreApi({ url: uplink.apiUrl, edgeId: edge.id, password: uplink.password, tls: uplink.apiTls, clock });
}

interface EvidenceDeps extends Pick<CameraDeps, 'config' | 'clock' | 'log' | 'metrics'> {
  centre: CentreApi;
  trail: Trail;
}

function createEvidence({ config: { edge, evidence }, ...deps }: EvidenceDeps): EvidenceRoom {
  const { keysDir, clips, ...limits } = evidence;
  return new EvidenceRoom({ ...deps, dataDir: edge.dataDir, edgeId: edge.id, limits, keysDir, clips });
}

function toLine(record: object | HealthLine): Buffer {
  return Buffer.from(JSON.stringify(record));
}
