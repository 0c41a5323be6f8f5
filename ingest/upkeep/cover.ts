import type { MaintenanceNow, Subject, Thing } from '#grid/api/mod.ts';
import type { MaintenanceWindowsTable, Queries } from '../database/mod.ts';
import type { Registry } from '../devices/mod.ts';

/** Windows that are open at a time at most: each is somebody at work. */
export const ACTIVE_MAX = 5_000;

export const keyOf = ({ of, id }: { of: string; id: string }): string => `${of} ${id}`;

/** Every thing that a subject stands for; an unknown one for none. */
export function thingsOf(subject: Subject, registry: Registry, freeMembers: ReadonlyMap<string, readonly Thing[]>): Thing[] {
  const { of, id } = subject;
  if (of === 'group') {
    const site = registry.groups.get(id);
    return site ? site.devices.map((device) => ({ of: 'device', id: device })) : [...(freeMembers.get(id) ?? [])].flatMap(hung);
  }
  return hung({ of, id });

  function hung(thing: Thing): Thing[] {
    if (thing.of !== 'edge') return [thing];
    const own = <T extends { id: string; edge: string }>(things: Iterable<T>, kind: Thing['of']): Thing[] =>
      [...things].filter((t) => t.edge === thing.id).map((t) => ({ of: kind, id: t.id }));
    return [thing, ...own(registry.devices.values(), 'device'), ...own(registry.cameras.values(), 'camera')];
  }
}

/** What is worked on now, and until when. */
export class Cover {
  readonly #now: ReadonlyMap<string, NonNullable<MaintenanceNow>>;

  constructor(now: ReadonlyMap<string, NonNullable<MaintenanceNow>>) {
    this.#now = now;
  }

  of(thing: Thing): MaintenanceNow {
    return this.#now.get(keyOf(thing)) ?? null;
  }
}

/** Free groups with their members. */
export async function readMembers(db: Queries): Promise<Map<string, Thing[]>> {
  const rows = await db.selectFrom('device_group_members').selectAll().orderBy('subject_of').orderBy('subject_id').execute();
  const members = Map.groupBy(rows, (r) => r.group_id);
  return new Map(
    [...members].map(([group, list]) => [group, list.map((r) => ({ of: r.subject_of as Thing['of'], id: r.subject_id }))]),
  );
}

export function activeWindows(db: Queries, now: number): Promise<MaintenanceWindowsTable[]> {
  return db
    .selectFrom('maintenance_windows')
    .selectAll()
    .where('to_at', '>', now)
    .where('from_at', '<=', now)
    .orderBy('to_at')
    .limit(ACTIVE_MAX)
    .execute();
}

/** Of several windows the one that ends last. */
export async function readCover(db: Queries, registry: Registry, now: number): Promise<Cover> {
  const windows = await activeWindows(db, now);
  if (windows.length === 0) return new Cover(new Map());
  const members = windows.some((w) => w.subject_of === 'group') ? await readMembers(db) : new Map<string, Thing[]>();
  const covered = windows.flatMap((window) =>
    thingsOf(subjectOf(window), registry, members).map((thing) => {
      const { to_at: until, reason, by } = window;
      return [keyOf(thing), { until, reason, by }] as const;
    }),
  );
  return new Cover(new Map(covered));
}

export const subjectOf = ({ subject_of, subject_id }: { subject_of: string; subject_id: string }): Subject => ({
  of: subject_of as Subject['of'],
  id: subject_id,
});
