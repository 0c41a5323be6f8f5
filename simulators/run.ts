import { type Clock, type Log, type Service, startAll, stopAll } from '#service/mod.ts';
import { createStreetRenderer, RtspServer, SimulatedCamera, type SimulatedCameraStats } from './cameras/mod.ts';
import { type CameraIncident, type City, createStaging, type SensorIncident, type Staging } from './city/mod.ts';
import { cityOfConfig, type SimulateConfig } from './config.ts';
import { DeviceFleet, type FleetStats } from './devices/mod.ts';
import { cameraTruth, type StagedTruth, sensorTruth } from './report/mod.ts';

export interface SimulationStats {
  sensors: FleetStats;
  cameras: Record<string, SimulatedCameraStats>;
}

export interface Simulation extends Service {
  /** UTC ms of the script's beginning. */
  readonly startedAt: number;
  stats(): SimulationStats;
  /** What has begun so far and counts. */
  truth(): StagedTruth[];
  /** Cameras send no more pictures while their connections stay, devices leave; for good. */
  fail(what: { cameras: readonly string[]; devices: readonly string[] }): Promise<void>;
  /** The sensors take no more samples; waits for their acknowledgements. */
  stopSensors(waitMs: number): Promise<void>;
}

const CAMERA_FPS = 5;
const PLAN_EVERY_MS = 1_000;
/** Incidents whose truth is kept, of each source; more than an hour of the demo's rate. */
const REMEMBERED_MAX = 5_000;
/** Early evening for the sensors: lamps that burn can go out. */
const SENSORS_HOUR = 20;
/** The script is made so far ahead of the clock. */
const AHEAD_MS = 60_000;
/** In a script with an end nothing stands later than this before it: dwell, evidence and recovery must fit. */
const TAIL_MS = 25_000;

/**
 * Composition root of the simulators: a city from its seed, its sensors on the edges' brokers, its cameras on one
 * RTSP server, and a script that both follow.
 */
export function createSimulation({ config, log, clock }: { config: SimulateConfig; log: Log; clock: Clock }): Simulation {
  const city = cityOfConfig(config);
  const staging = createStaging(city, { seed: config.seed, intervalMs: config.intervalS * 1000, profile: config.profile });
  const server = new RtspServer({ config: { host: config.rtsp.host, port: config.rtsp.port }, log, clock });
  const fleet = new DeviceFleet({
    config: { devices: devicesOf(city, config), seed: config.seed, intervalMs: config.intervalS * 1000, hour: SENSORS_HOUR },
    clock,
    log,
  });
  const director = new Director({ staging, fleet, clock, durationS: config.durationS });
  const withSensors = config.only !== 'cameras';
  const withCameras = config.only !== 'sensors';
  let cameras: { id: string; camera: SimulatedCamera }[] = [];
  let running: Service[] = [];

  return {
    get startedAt() {
      return director.startedAt;
    },
    async start() {
      director.begin();
      const { username, password } = config.rtsp;
      cameras = city.edges
        .flatMap((e) => e.cameras)
        .map(({ id, pose }) => {
          const script = staging.scripts.get(id);
          if (script === undefined) throw new RangeError(`there is no script of ${id}`);
          const camera = {
            id,
            pose,
            script,
            fps: CAMERA_FPS,
            mount: `/${id}`,
            username,
            password,
            scriptStartsAt: director.startedAt,
          };
          return {
            id,
            camera: new SimulatedCamera({ config: camera, server, createRenderer: createStreetRenderer, log, clock }),
          };
        });
      running = [...(withCameras ? [server, ...cameras.map((c) => c.camera)] : []), ...(withSensors ? [fleet] : []), director];
      await startAll(running);
    },
    async stop() {
      await stopAll(running);
      running = [];
    },
    stats: () => ({ sensors: fleet.stats, cameras: Object.fromEntries(cameras.map(({ id, camera }) => [id, camera.stats])) }),
    truth: () => director.truth().filter((t) => (t.source === 'sensor' ? withSensors : withCameras)),
    async fail(what) {
      for (const { id, camera } of cameras) if (what.cameras.includes(id)) camera.setFault({ kind: 'freeze' });
      await Promise.all(what.devices.map((id) => fleet.device(id).stop()));
    },
    async stopSensors(waitMs) {
      await director.stop();
      await fleet.quiesce(waitMs);
    },
  };
}

function devicesOf(city: City, { brokers }: SimulateConfig) {
  return city.edges.flatMap(({ id, devices }) => {
    const url = brokers[id];
    if (url === undefined) throw new RangeError(`brokers: there is none for ${id}`);
    return devices.map((device) => ({ id: device.id, kind: device.kind, secret: device.secret, url }));
  });
}

interface DirectorDeps {
  staging: Staging;
  fleet: DeviceFleet;
  clock: Clock;
  durationS: number | undefined;
}

/** Keeps the script ahead of the clock, has the devices play their part, and knows the truth. */
class Director implements Service {
  readonly #deps: DirectorDeps;
  readonly #sensors: SensorIncident[] = [];
  readonly #cameras: CameraIncident[] = [];
  /** Sensor incidents that the fleet has not been told of. */
  #untold: SensorIncident[] = [];
  #plannedMs = 0;
  #timer: NodeJS.Timeout | undefined;
  startedAt = 0;

  constructor(deps: DirectorDeps) {
    this.#deps = deps;
  }

  /** The script begins now; before the cameras start, so that they find their first minute. */
  begin(): void {
    this.startedAt = this.#deps.clock.now();
    this.#plan(0);
  }

  async start(): Promise<void> {
    this.#tell();
    this.#timer = setInterval(() => this.#goOn(), PLAN_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
  }

  /** What has begun. */
  truth(): StagedTruth[] {
    const now = this.#deps.clock.now();
    const all = [...sensorTruth(this.#sensors, this.#deps.fleet.told), ...cameraTruth(this.#cameras, this.startedAt)];
    return all.filter((t) => t.standsFrom <= now);
  }

  #goOn(): void {
    const atMs = this.#deps.clock.now() - this.startedAt;
    if (this.#plannedMs - atMs >= AHEAD_MS / 2) return;
    this.#plan(atMs);
    this.#tell();
  }

  #plan(atMs: number): void {
    const { staging, durationS } = this.#deps;
    const endMs = durationS === undefined ? Number.POSITIVE_INFINITY : durationS * 1000;
    if (this.#plannedMs >= endMs) return;
    this.#plannedMs = Math.min(atMs + AHEAD_MS, endMs);
    const { sensors, cameras } = staging.advance(this.#plannedMs, endMs - TAIL_MS);
    staging.forget(atMs);
    this.#untold.push(...sensors);
    this.#sensors.push(...sensors);
    this.#cameras.push(...cameras);
    for (const list of [this.#sensors, this.#cameras])
      if (list.length > REMEMBERED_MAX) list.splice(0, list.length - REMEMBERED_MAX);
  }

  #tell(): void {
    for (const incident of this.#untold) if (this.#deps.fleet.devices.size > 0) this.#deps.fleet.play(incident, this.startedAt);
    this.#untold = [];
  }
}
