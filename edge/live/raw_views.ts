import type { LiveViewers } from '#grid/wire/mod.ts';
import type { Log } from '#service/mod.ts';

/** A line of the node's own trail. */
export interface RawViewAct {
  actor: string;
  roles: string[];
  action: 'raw-view-started' | 'raw-view-ended';
  subject: string;
  purpose: string;
  grant: string;
}

/** Where it is written down; durable when it resolves. */
export interface RawViewTrail {
  record(act: RawViewAct): Promise<unknown>;
}

type Viewer = LiveViewers['viewers'][number];
type Watching = Omit<RawViewAct, 'action'>;

/**
 * Who looks at the raw pictures of one stream, written down here as well, whatever the centre writes: each viewer's beginning before
 * he is shown anything, and his end.
 */
export class RawViews {
  readonly #deps: { camera: string; trail: RawViewTrail; log: Log };
  readonly #watching = new Map<string, Watching>();

  constructor(deps: { camera: string; trail: RawViewTrail; log: Log }) {
    this.#deps = deps;
  }

  /** These look now, and nobody else. Throws when a beginning cannot be written down. */
  async look(viewers: readonly Viewer[]): Promise<void> {
    const now = new Map(viewers.flatMap((viewer) => this.#watchingOf(viewer)));
    for (const [key, watching] of this.#watching) if (!now.has(key)) this.#ended(key, watching);
    for (const [key, watching] of now) {
      if (this.#watching.has(key)) continue;
      await this.#deps.trail.record({ ...watching, action: 'raw-view-started' });
      this.#watching.set(key, watching);
    }
  }

  /** Nobody looks any more. */
  leave(): void {
    for (const [key, watching] of this.#watching) this.#ended(key, watching);
  }

  #watchingOf({ account, grant }: Viewer): [string, Watching][] {
    if (grant === undefined) return [];
    const { id, purpose, roles } = grant;
    return [[`${account} ${id}`, { actor: account, roles, subject: `camera:${this.#deps.camera}`, purpose, grant: id }]];
  }

  #ended(key: string, watching: Watching): void {
    this.#watching.delete(key);
    this.#deps.trail
      .record({ ...watching, action: 'raw-view-ended' })
      .catch((error: unknown) => this.#deps.log.error({ ...watching, err: error }, 'the end of a raw view was not written down'));
  }
}
