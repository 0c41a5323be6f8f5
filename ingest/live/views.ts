import type { WebSocket } from 'ws';
import { LIVE_VIEWS, type LiveOpen } from '#grid/wire/mod.ts';
import { type Clock, Gauge, GewuError, isGewuError, type Log, type Metrics, type Service } from '#service/mod.ts';
import type { Audit } from '../audit/mod.ts';
import type { RegisteredCamera, Registry } from '../devices/mod.ts';
import type { Grants } from '../grants/mod.ts';
import type { CommandSender } from '../ports.ts';
import type { LiveConfig } from './config.ts';
import type { LastPictures } from './last_pictures.ts';
import { createLiveCounters, type LiveCounters } from './metrics.ts';
import { LiveRelay } from './relay.ts';
import { farewell, LiveViewer, type ViewGrant } from './viewer.ts';

export interface LiveDependencies {
  config: LiveConfig;
  pictures: LastPictures;
  registry: Registry;
  grants: Grants;
  audit: Audit;
  commands: CommandSender;
  clock: Clock;
  log: Log;
  metrics: Metrics;
}

/** Who wants to look, and has shown who he is. */
export interface LiveRequest {
  socket: WebSocket;
  account: { id: string; roles: readonly string[] };
  open: LiveOpen;
  /** Asked at every beat: a revoked token ends its views. */
  stillValid: () => Promise<boolean>;
}

const BEAT_MS = 5_000;
const MINUTE_MS = 60_000;

interface Place {
  relay: LiveRelay;
  viewer: LiveViewer;
  stillValid: () => Promise<boolean>;
  /** Ends the view to the second; the beat sees to it that a clock that was set changes nothing. */
  timer: NodeJS.Timeout;
}

/**
 * Live views of this replica: who looks at what, and the streams that the edges send for them.
 *
 *   viewers --> LiveViewer --+
 *   viewers --> LiveViewer --+--> LiveRelay, one for each camera, view and set of codecs <-- edge
 */
export class LiveViews implements Service {
  readonly #deps: LiveDependencies;
  readonly #counters: LiveCounters;
  readonly #relays = new Map<string, LiveRelay>();
  readonly #places = new Map<LiveViewer, Place>();
  #beat: NodeJS.Timeout | null = null;
  #unsubscribe: () => void = () => undefined;

  constructor(deps: LiveDependencies) {
    this.#deps = deps;
    this.#counters = createLiveCounters(deps.metrics);
    const [places, relays] = [this.#places, this.#relays];
    const registers = [deps.metrics];
    new Gauge({
      name: 'gewu_live_viewers',
      help: 'Open live views',
      labelNames: ['view'],
      registers,
      collect() {
        const views = [...places.keys()].map((viewer) => viewer.deps.open.view);
        for (const view of LIVE_VIEWS) this.set({ view }, views.filter((v) => v === view).length);
      },
    });
    new Gauge({
      name: 'gewu_live_streams',
      help: 'Streams that edges are asked for',
      registers,
      collect() {
        this.set(relays.size);
      },
    });
  }

  async start(): Promise<void> {
    this.#unsubscribe = this.#deps.grants.on('over', ({ id }) => this.#grantOver(id));
    this.#beat = setInterval(() => void this.#beats(), BEAT_MS);
    this.#beat.unref();
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    if (this.#beat) clearInterval(this.#beat);
    this.#beat = null;
    this.closeAll();
  }

  /** Ends every view and stream; viewers come back when they can. */
  closeAll(): void {
    for (const relay of [...this.#relays.values()]) relay.end('GEWU_LIVE_UNAVAILABLE', 'the centre stops', 'retry');
  }

  /** Views of a camera that are open here. */
  viewersOf(camera: string): number {
    return [...this.#places.keys()].filter((viewer) => viewer.deps.open.camera === camera).length;
  }

  /** Whether there is room for one more. Throws GEWU_TOO_MANY_REQUESTS. */
  check(): void {
    const { viewersMax } = this.#deps.config;
    if (this.#places.size >= viewersMax)
      throw new GewuError('GEWU_TOO_MANY_REQUESTS', `there are ${viewersMax} live views already`);
  }

  /**
   * Shows a camera to somebody until he leaves. Never throws: what is wrong is told to the socket, which is then closed.
   * A raw view is opened only when that is written down.
   */
  async open(request: LiveRequest): Promise<void> {
    const { socket, account, open } = request;
    try {
      const camera = this.#admit(open);
      const grant = open.view === 'raw' ? await this.#grantOf(request) : null;
      if (socket.readyState !== socket.OPEN) return;
      const relay = this.#relayFor(camera, open);
      const endsAt = Math.min(this.#deps.clock.now() + this.#deps.config.viewMinutesMax * MINUTE_MS, grant?.endsAt ?? Infinity);
      const viewer = new LiveViewer({ socket, account, open, grant, endsAt, counters: this.#counters });
      if (grant !== null) await this.#note(viewer, 'raw-view-started', {});
      this.#seat(relay, viewer, request.stillValid);
    } catch (error) {
      const told = isGewuError(error) ? error : new GewuError('GEWU_INTERNAL', 'something went wrong here; the log says what');
      if (told !== error) this.#deps.log.error({ err: error }, 'live: a view was not opened');
      this.#counters.refused.inc({ code: told.code });
      farewell(socket, told, told.remedy === 'retry' ? 'retry' : 'reject');
    }
  }

  /** The stream that an edge dials in for. Throws GEWU_NOT_FOUND: nobody has asked this edge for it, or nobody looks any more. */
  relayOf(edge: string, stream: string): LiveRelay {
    const relay = [...this.#relays.values()].find(({ id }) => id === stream);
    if (relay === undefined || relay.deps.edge !== edge)
      throw new GewuError('GEWU_NOT_FOUND', 'nobody has asked for this stream, or nobody looks at it any more');
    return relay;
  }

  #admit({ camera: id }: LiveOpen): RegisteredCamera {
    const camera = this.#deps.registry.cameras.get(id);
    if (camera === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no camera ${id}`);
    const { viewersPerCameraMax } = this.#deps.config;
    this.check();
    if (this.viewersOf(id) >= viewersPerCameraMax)
      throw new GewuError('GEWU_TOO_MANY_REQUESTS', `${viewersPerCameraMax} look at camera ${id} already`);
    return camera;
  }

  async #grantOf({ account, open }: LiveRequest): Promise<ViewGrant> {
    if (open.grant === undefined)
      throw new GewuError('GEWU_GRANT_INVALID', 'a raw view takes a grant: POST /api/v1/grants with kind raw-view');
    const { id, purpose, endsAt } = await this.#deps.grants.use(open.grant, { ...account }, 'raw-view', {
      of: 'camera',
      id: open.camera,
    });
    return { id, purpose, endsAt };
  }

  #relayFor({ edge }: RegisteredCamera, { camera, view, plays }: LiveOpen): LiveRelay {
    // Single pictures need no codec: everybody shares one masked stream.
    const codecs = view === 'masked' ? [] : [...new Set(plays)].sort();
    const key = `${camera} ${view} ${codecs.join('+')}`;
    const known = this.#relays.get(key);
    if (known !== undefined) return known;
    const { config, pictures, commands, clock, log } = this.#deps;
    if ([...this.#relays.values()].filter(({ deps }) => deps.edge === edge).length >= config.streamsPerEdgeMax)
      throw new GewuError('GEWU_TOO_MANY_REQUESTS', `edge ${edge} sends ${config.streamsPerEdgeMax} streams already`);
    const relay = new LiveRelay({
      edge,
      wanted: { camera, view, plays: codecs },
      config,
      commands,
      counters: this.#counters,
      clock,
      log,
      onStill: (at, jpeg) => pictures.offer(camera, at, jpeg),
      onOver: () => this.#relays.delete(key),
    });
    this.#relays.set(key, relay);
    return relay;
  }

  #seat(relay: LiveRelay, viewer: LiveViewer, stillValid: () => Promise<boolean>): void {
    const { socket, endsAt } = viewer.deps;
    const timer = setTimeout(() => this.#endInTime(viewer), Math.max(0, endsAt - this.#deps.clock.now()));
    this.#places.set(viewer, { relay, viewer, stillValid, timer });
    const leave = () => {
      clearTimeout(timer);
      this.#places.delete(viewer);
      relay.leave(viewer);
      if (viewer.deps.grant === null) return;
      const { bytes, dropped, why } = viewer.stats;
      this.#note(viewer, 'raw-view-ended', { bytes, dropped, why }).catch((error: unknown) =>
        this.#deps.log.error({ err: error, account: viewer.deps.account.id }, 'the end of a raw view was not written down'),
      );
    };
    relay.join(viewer);
    // It may have gone while the start was written down.
    if (socket.readyState === socket.CLOSED) leave();
    else socket.once('close', leave);
  }

  async #beats(): Promise<void> {
    for (const relay of [...this.#relays.values()]) relay.beat();
    for (const { viewer, stillValid } of [...this.#places.values()]) {
      if (!viewer.beat()) continue;
      this.#endInTime(viewer);
      // While the store is away nobody can say; what counted so far goes on counting until its end.
      if (!(await stillValid().catch(() => true))) viewer.end('GEWU_UNAUTHORIZED', 'the token counts no more', 'reject');
      const { grant } = viewer.deps;
      // Another replica may have ended it.
      if (grant !== null && (await this.#deps.grants.get(grant.id).catch(() => null))?.state === 'over')
        this.#grantOver(grant.id);
    }
  }

  #endInTime(viewer: LiveViewer): void {
    if (this.#deps.clock.now() < viewer.deps.endsAt) return;
    viewer.end(
      'GEWU_LIVE_OVER',
      viewer.deps.grant === null ? 'the longest time of a view is over' : 'the grant is over',
      'reject',
    );
  }

  #grantOver(id: string): void {
    for (const viewer of this.#places.keys())
      if (viewer.deps.grant?.id === id) viewer.end('GEWU_LIVE_OVER', 'the grant is over', 'reject');
  }

  async #note(
    { deps: { account, open, grant } }: LiveViewer,
    action: string,
    detail: Record<string, string | number>,
  ): Promise<void> {
    await this.#deps.audit.record({
      actor: account.id,
      roles: account.roles,
      action,
      subject: `camera:${open.camera}`,
      purpose: grant?.purpose,
      detail: { grant: grant?.id ?? null, ...detail },
    });
  }
}
