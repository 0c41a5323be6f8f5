import { join } from 'node:path';
import { type Clock, Gauge, type Log, type Metrics, type Service, startAll, stopAll } from '#service/mod.ts';
import type { Trail } from '../audit/mod.ts';
import type { CentreApi } from '../centre/mod.ts';
import type { CameraEvidenceDeps } from './camera.ts';
import { ClipOrders } from './clip_orders.ts';
import { ClipStudio } from './clips.ts';
import { NodeKeys } from './keys.ts';
import { OriginalStore } from './originals.ts';
import { KeyRegistration } from './registration.ts';
import { ReleaseDesk } from './release.ts';
import type { Retention } from './retention.ts';
import { EvidenceSigner } from './signer.ts';
import { EvidenceStore } from './store.ts';
import { EvidenceUploader } from './uploader.ts';

export interface EvidenceRoomDeps {
  dataDir: string;
  edgeId: string;
  /** Started before, stopped after. */
  centre: CentreApi;
  limits: {
    quotaBytes: number;
    originalsQuotaBytes: number;
    retention: Retention;
  };
  clips: boolean;
  /** Where the node's keys lie; `keys` below the data folder unless told. */
  keysDir?: string | undefined;
  trail: Pick<Trail, 'record'>;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  /** `ffmpeg` unless told. */
  ffmpeg?: string | undefined;
}

const TRIM_EVERY_MS = 600_000;

/**
 * All that a node's cameras share to prove their events: keys, stores, the upload, the making of clips, the release of originals.
 * `shared` is for each camera's CameraEvidence.
 */
export class EvidenceRoom implements Service {
  readonly #deps: EvidenceRoomDeps;
  readonly #keys: NodeKeys;
  readonly #store: EvidenceStore;
  readonly #originals: OriginalStore;
  readonly #orders: ClipOrders;
  readonly #studio: ClipStudio;
  readonly #desk: ReleaseDesk;
  readonly #services: Service[];
  readonly shared: Pick<CameraEvidenceDeps, 'store' | 'originals' | 'signer' | 'orders' | 'studio' | 'clips' | 'notify'>;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: EvidenceRoomDeps) {
    const { dataDir, edgeId, centre, keysDir = join(dataDir, 'keys'), limits, trail, clock, log, metrics, ffmpeg } = deps;
    const { quotaBytes, originalsQuotaBytes, retention } = limits;
    const dir = join(dataDir, 'evidence');
    this.#deps = deps;
    const keys = new NodeKeys({ dir: keysDir, log });
    this.#keys = keys;
    this.#store = new EvidenceStore({ dir, quotaBytes, retention, clock, log });
    this.#originals = new OriginalStore({
      dir: join(dir, 'originals'),
      keys,
      quotaBytes: originalsQuotaBytes,
      retention,
      clock,
      log,
    });
    this.#orders = new ClipOrders({ dir: join(dir, 'clips'), clock, log });
    this.#studio = new ClipStudio({ dir: join(dir, 'making'), clock, log, ffmpeg });
    this.#desk = new ReleaseDesk({ originals: this.#originals, centre, trail, log });
    const uploader = new EvidenceUploader({ store: this.#store, centre, log, clock });
    const registration = new KeyRegistration({ keys, centre, edgeId, clock, log });
    this.#services = [registration, uploader, this.#desk];
    this.shared = {
      store: this.#store,
      originals: this.#originals,
      signer: new EvidenceSigner({ keys, centre, edgeId }),
      orders: this.#orders,
      studio: this.#studio,
      clips: deps.clips,
      notify: () => uploader.notify(),
    };
    this.#measure(metrics);
  }

  /** Throws when the keys cannot be read. */
  async start(): Promise<void> {
    await this.#keys.open();
    await this.#store.open();
    await this.#originals.open();
    await this.#orders.open();
    await this.#studio.open();
    await startAll(this.#services);
    this.#timer = setInterval(() => void this.#trim(), TRIM_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#studio.stop();
    await stopAll(this.#services);
  }

  /** The centre says that somebody holds a grant. */
  release(command: Parameters<ReleaseDesk['handle']>[0]): void {
    this.#desk.handle(command);
  }

  async #trim(): Promise<void> {
    for (const store of [this.#store, this.#originals])
      await store.trim().catch((error: unknown) => this.#deps.log.error({ err: error }, 'old evidence could not be removed'));
  }

  #measure(metrics: Metrics): void {
    const read = (): [string, number][] => [
      ['masked_bytes', this.#store.stats().bytes],
      ['masked_waiting', this.#store.stats().pending],
      ['masked_dropped', this.#store.stats().dropped],
      ['originals_bytes', this.#originals.stats().bytes],
      ['originals', this.#originals.stats().files],
      ['clips_made', this.#studio.stats().made],
      ['clips_failed', this.#studio.stats().failed],
      ['clips_dropped', this.#studio.stats().dropped],
      ['clips_waiting', this.#studio.stats().waiting],
    ];
    new Gauge({
      name: 'gewu_edge_evidence',
      help: 'Evidence on this node: masked files and originals, clips made and not made',
      labelNames: ['of'],
      registers: [metrics],
      collect() {
        for (const [of, value] of read()) this.set({ of }, value);
      },
    });
  }
}
