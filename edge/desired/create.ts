import type { Site } from '#grid/mod.ts';
import type { ConfigNote } from '#grid/wire/mod.ts';
import type { Clock, Log, Service } from '#service/mod.ts';
import type { CameraPipeline } from '../cameras/mod.ts';
import type { CentreApi } from '../centre/mod.ts';
import type { EdgeConfig } from '../config.ts';
import type { HealthSink } from '../events.ts';
import { type DeviceRegistry, setMaintenance } from '../registry.ts';
import { CandidateKeeper } from './candidate_keeper.ts';
import { downloadPackage } from './download.ts';
import { fetchDesired } from './fetch.ts';
import { DesiredKeeper, RefusedChange } from './keeper.ts';
import type { StartingDesired } from './kept.ts';
import type { PackageSource } from './model_fetch.ts';
import { ModelKeeper } from './model_keeper.ts';
import type { StartingModel } from './model_start.ts';

export interface FromCentreDeps {
  config: EdgeConfig;
  centre: CentreApi;
  desired: StartingDesired;
  model: StartingModel;
  cameras: CameraPipeline;
  registry: DeviceRegistry;
  health: HealthSink;
  clock: Clock;
  log: Log;
}

/** What takes in what the centre wants of a node; `services` are started when everything that they change runs. */
export function createFromCentre(deps: FromCentreDeps): { keeper: DesiredKeeper; services: Service[] } {
  const { config, centre, desired, cameras, health, clock, log } = deps;
  const { edge, vision } = config;
  const common = { edge: edge.id, health, clock, log };
  const download: PackageSource['download'] = (options) => downloadPackage(centre, options);
  const packages = { ...common, trustedKeys: vision.trustedKeys, user: cameras, download };
  const models = new ModelKeeper({ ...packages, start: deps.model });
  const candidates = new CandidateKeeper({ ...packages, files: deps.model.files });
  const keeper = new DesiredKeeper({
    ...common,
    start: desired,
    fetch: (notice, stopping) => fetchDesired(centre, notice, stopping),
    async apply(site, state) {
      const notes = await applySite(site, deps);
      models.want(state.model);
      candidates.want(state.candidate);
      return notes;
    },
  });
  if (desired.ignored) return { keeper, services: [keeper] };
  const { kept } = desired;
  const state = (kept.trial ?? kept.running)?.state;
  models.want(state?.model);
  candidates.want(state?.candidate);
  return { keeper, services: [models, candidates, keeper] };
}

/** Another site for the running node: cameras, calendars and maintenance windows. Throws RefusedChange. */
async function applySite(site: Site, { registry, cameras }: Pick<FromCentreDeps, 'registry' | 'cameras'>): Promise<ConfigNote[]> {
  const refused = (await cameras.apply(site)).flatMap((c) =>
    c.change === 'refused' ? [{ code: 'GEWU_DESIRED_INVALID', key: `cameras.${c.camera}`, message: c.message }] : [],
  );
  if (refused.length > 0) throw new RefusedChange(refused);
  setMaintenance(registry, site);
  const manifest = cameras.manifest();
  const silent = manifest === null ? [] : cameras.silentRules(manifest);
  return silent.map((key) => ({ code: 'GEWU_MODEL_CLASSES', key, message: 'the model in use has no such class: silent' }));
}
