import type { GroupAnswer, Thing } from '#grid/api/mod.ts';
import { type Clock, GewuError } from '#service/mod.ts';
import { type Asker, AUDIT_LOCK, type Audit, actorOf } from '../audit/mod.ts';
import type { Database, Queries } from '../database/mod.ts';
import type { Registry } from '../devices/mod.ts';
import { keyOf, readMembers } from './cover.ts';

export interface GroupsDependencies {
  registry: Registry;
  database: Database;
  audit: Audit;
  clock: Clock;
}

const GROUPS_MAX = 1_000;
const MEMBERS_MAX = 10_000;
/** Rows of one insert. */
const CHUNK = 200;

/** Groups of the sites' files (circuits, pressure zones), which the files decide, and free ones, which people make here. */
export class Groups {
  readonly #deps: GroupsDependencies;

  constructor(dependencies: GroupsDependencies) {
    this.#deps = dependencies;
  }

  async list(): Promise<GroupAnswer[]> {
    const { registry, database } = this.#deps;
    const members = await readMembers(database.kysely);
    const free = await database.kysely.selectFrom('device_groups').selectAll().orderBy('id').execute();
    return [
      ...[...registry.groups.values()].map(
        ({ id, kind, edge, devices }): GroupAnswer => ({ id, name: id, kind, edge, members: devices.length }),
      ),
      ...free.map(({ id, name }): GroupAnswer => ({ id, name, kind: 'free', edge: null, members: members.get(id)?.length ?? 0 })),
    ];
  }

  async get(id: string): Promise<{ group: GroupAnswer; members: Thing[] }> {
    const { registry, database } = this.#deps;
    const group = (await this.list()).find((g) => g.id === id);
    if (group === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no group ${id}`);
    const site = registry.groups.get(id);
    if (site) return { group, members: site.devices.map((device) => ({ of: 'device', id: device })) };
    return { group, members: (await readMembers(database.kysely)).get(id) ?? [] };
  }

  async put(id: string, name: string, by: Asker): Promise<GroupAnswer> {
    const { clock } = this.#deps;
    await this.#write(id, async (db) => {
      const { count } = await db
        .selectFrom('device_groups')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      if (Number(count) >= GROUPS_MAX) throw new GewuError('GEWU_TOO_MANY_REQUESTS', `there are ${GROUPS_MAX} groups already`);
      await db
        .insertInto('device_groups')
        .values({ id, name, by: by.id, at: clock.now() })
        .onConflict((c) => c.column('id').doUpdateSet({ name }))
        .execute();
      await this.#note(db, 'group-named', id, by, { name });
    });
    return (await this.get(id)).group;
  }

  async change(
    id: string,
    { add = [], remove = [] }: { add?: readonly Thing[]; remove?: readonly Thing[] },
    by: Asker,
  ): Promise<GroupAnswer> {
    const { registry } = this.#deps;
    const owner = { edge: registry.edges, device: registry.devices, camera: registry.cameras };
    for (const thing of add)
      if (!owner[thing.of].has(thing.id)) throw new GewuError('GEWU_NOT_FOUND', `there is no ${thing.of} ${thing.id}`);
    await this.#write(id, async (db) => {
      const known = await db.selectFrom('device_groups').select('id').where('id', '=', id).executeTakeFirst();
      if (known === undefined) throw new GewuError('GEWU_NOT_FOUND', `there is no free group ${id}`);
      const rows = add.map((t) => ({ group_id: id, subject_of: t.of, subject_id: t.id }));
      for (let i = 0; i < rows.length; i += CHUNK)
        await db
          .insertInto('device_group_members')
          .values(rows.slice(i, i + CHUNK))
          .onConflict((c) => c.columns(['group_id', 'subject_of', 'subject_id']).doNothing())
          .execute();
      for (const t of remove)
        await db
          .deleteFrom('device_group_members')
          .where('group_id', '=', id)
          .where('subject_of', '=', t.of)
          .where('subject_id', '=', t.id)
          .execute();
      const { count } = await db
        .selectFrom('device_group_members')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('group_id', '=', id)
        .executeTakeFirstOrThrow();
      if (Number(count) > MEMBERS_MAX) throw new GewuError('GEWU_REQUEST_INVALID', `a group has ${MEMBERS_MAX} members at most`);
      await this.#note(db, 'group-changed', id, by, { added: add.length, removed: remove.length });
    });
    return (await this.get(id)).group;
  }

  async remove(id: string, by: Asker): Promise<void> {
    await this.#write(id, async (db) => {
      await db.deleteFrom('device_group_members').where('group_id', '=', id).execute();
      const gone = await db.deleteFrom('device_groups').where('id', '=', id).executeTakeFirst();
      if (gone.numDeletedRows === 0n) throw new GewuError('GEWU_NOT_FOUND', `there is no free group ${id}`);
      await this.#note(db, 'group-removed', id, by, {});
    });
  }

  /** Free groups of these things, by `of id`. */
  async of(things: readonly Thing[]): Promise<Map<string, string[]>> {
    if (things.length === 0) return new Map();
    const rows = await this.#deps.database.kysely
      .selectFrom('device_group_members')
      .selectAll()
      .where('subject_id', 'in', [...new Set(things.map((t) => t.id))])
      .orderBy('group_id')
      .execute();
    const byThing = Map.groupBy(rows, (r) => keyOf({ of: r.subject_of, id: r.subject_id }));
    return new Map([...byThing].map(([key, list]) => [key, list.map((r) => r.group_id)]));
  }

  async #write(id: string, work: (db: Queries) => Promise<void>): Promise<void> {
    if (this.#deps.registry.groups.has(id))
      throw new GewuError('GEWU_UPKEEP_REFUSED', `${id} is a group of a site: its file decides who is in it`);
    await this.#deps.database.transaction(work, { locks: [AUDIT_LOCK] });
  }

  async #note(db: Queries, action: string, id: string, by: Asker, detail: Record<string, string | number>): Promise<void> {
    await this.#deps.audit.recordIn(db, { ...actorOf(by), action, subject: `group:${id}`, detail });
  }
}
