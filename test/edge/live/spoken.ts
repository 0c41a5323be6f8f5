import { onTestFinished } from 'vitest';
import type { SiteCamera } from '#grid/mod.ts';
import { checkConfig, createMetrics, silentLog, systemClock } from '#service/mod.ts';
import { EdgeLiveConfig, type LiveDeps, LiveViews, type RawViewAct } from '../../../edge/live/mod.ts';
import type { MediaFragment, MediaListener, MediaStream } from '../../../edge/media/mod.ts';

/** A stream that the test speaks. */
export class SpokenStream implements MediaStream {
  readonly init = { bytes: Buffer.from('init'), codec: 'avc1.42e01f', widthPx: 320, heightPx: 180 };
  readonly listeners = new Set<MediaListener>();
  since = (): MediaFragment[] => [];
  subscribe(listener: MediaListener): () => void {
    this.listeners.add(listener);
    listener.init(this.init);
    return () => this.listeners.delete(listener);
  }
  say(bytes: number, key = true): void {
    const fragment = { bytes: Buffer.alloc(bytes), key, at: Date.now(), ms: performance.now() };
    for (const listener of this.listeners) listener.fragment(fragment);
  }
}

/** The live views of an edge, without the rest of it. */
export function edgeOf(
  url: string,
  {
    edge = 'edge-01',
    password = 'edge-password',
    camera = 'cam-01',
    ...more
  }: { edge?: string; password?: string; camera?: string; live?: object; failing?: boolean; tls?: { ca: string } } = {},
) {
  const { live = {}, failing = false, tls } = more;
  const media = new SpokenStream();
  const acts: RawViewAct[] = [];
  /** Masked views that have begun. */
  const masked = { begun: 0 };
  const zones: SiteCamera['zones'] = [];
  const deps: LiveDeps = {
    edge,
    config: checkConfig('live', EdgeLiveConfig, live),
    url,
    password,
    tls,
    cameras: {
      media: () => media,
      watch: () => {
        masked.begun++;
        return () => undefined;
      },
      zones: (id) => (id === camera ? zones : null),
    },
    trail: {
      record: async (act) => {
        if (failing) throw new Error('the disk is full');
        acts.push(act);
      },
    },
    clock: systemClock,
    log: silentLog,
    metrics: createMetrics(),
  };
  const views = new LiveViews(deps);
  onTestFinished(() => views.stop());
  return { views, media, acts, masked };
}
