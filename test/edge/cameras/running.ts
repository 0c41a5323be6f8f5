import { join } from 'node:path';
import { type CameraPipelineDeps, createCameraPipeline } from '#edge/cameras/mod.ts';
import type { Site, SiteCamera } from '#grid/mod.ts';
import type { EventRecord, HealthLine } from '#grid/wire/mod.ts';
import { createMetrics, silentLog, systemClock } from '#service/mod.ts';
import { evidenceRoom } from '../../support/evidence.ts';
import { ORIGIN, RULE, siteCamera } from '../vision/street.ts';
import { type Finish, ownDir, PASSWORD, USERNAME } from './painted.ts';

const BRIGHT_STREET = join(import.meta.dirname, '../../models/fixtures/bright-street');
export const CELL = '110101001001017';

export interface Options {
  /** What is special about the one camera. */
  camera?: Partial<SiteCamera>;
  /** Other cameras than the one. */
  cameras?: SiteCamera[];
  dataDir?: string;
  url?: string;
  model?: string;
  isOpen?: (event: string) => boolean;
  /** Waits for what is emitted. */
  store?: (record: object) => Promise<void>;
  /** Whether events get one, seven seconds and more after their raise. */
  clips?: boolean;
}

/** A camera that raises an event when its picture has been bright for two seconds. */
export function brightCamera(painted: { url: string }, changes: Partial<SiteCamera> = {}): SiteCamera {
  const rule = { ...RULE, dwellS: 2, clearS: 2 };
  const everywhere: [number, number][] = [
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 1],
  ];
  const zones: SiteCamera['zones'] = [{ id: 'all', polygon: everywhere, rules: [rule] }];
  return siteCamera({ url: painted.url, username: USERNAME, password: PASSWORD, fps: 4, zones, ...changes });
}

export function siteOf(cameras: SiteCamera[]): Site {
  const [w, e, s, n] = [ORIGIN.lon - 0.002, ORIGIN.lon + 0.002, ORIGIN.lat - 0.002, ORIGIN.lat + 0.002];
  const polygon: [number, number][] = [
    [w, s],
    [e, s],
    [e, n],
    [w, n],
  ];
  const cells = [{ code: CELL, polygon }];
  return { timeZone: 'Asia/Shanghai', cells, components: [], devices: [], gateways: [], cameras };
}

/** The pipeline on the bright-street model, which sees a stall in a bright picture. */
export async function run(
  onTestFinished: Finish,
  painted: { url: string },
  {
    camera = {},
    cameras = [brightCamera(painted, camera)],
    dataDir,
    url = 'http://127.0.0.1:1',
    model = BRIGHT_STREET,
    isOpen = () => false,
    store = async () => {},
    clips = false,
  }: Options = {},
) {
  const events: EventRecord[] = [];
  const health: HealthLine[] = [];
  const site = siteOf(cameras);
  const folder = dataDir ?? (await ownDir(onTestFinished));
  const metrics = createMetrics();
  const { room, close } = await evidenceRoom({ dataDir: folder, url, clips });
  onTestFinished(close);
  const deps: CameraPipelineDeps = {
    site,
    profile: 'default',
    vision: { model, workers: 2, filesDir: null },
    events: {
      emit: (record) => {
        events.push(record);
        return store(record);
      },
    },
    health: {
      report: (record) => {
        health.push(record);
        return store(record);
      },
    },
    caseStates: { stateOf: (event) => (isOpen(event) ? 'open' : 'unknown') },
    clock: systemClock,
    log: silentLog,
    metrics,
    dataDir: folder,
    edgeId: 'edge-01',
    evidence: room,
  };
  const pipeline = createCameraPipeline(deps);
  await pipeline.start();
  onTestFinished(() => pipeline.stop());
  return { pipeline, events, health, metrics, dataDir: folder, closeEvidence: close };
}
