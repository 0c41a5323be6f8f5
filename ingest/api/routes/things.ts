import type { ThingOf } from '#grid/api/mod.ts';
import type { UpkeepService } from '../../upkeep/mod.ts';

interface Known {
  id: string;
  /** Of its site. */
  groups?: readonly string[];
}

/** Things with what stands beside their health: who works on them, which groups they are in. */
export async function withUpkeep<T extends Known>(of: ThingOf, items: readonly T[], upkeep: UpkeepService) {
  const known = await upkeep.of(items.map(({ id }) => ({ of, id })));
  return items.map((item) => {
    const { maintenance = null, groups = [] } = known.get(`${of} ${item.id}`) ?? {};
    return { ...item, maintenance, groups: [...(item.groups ?? []), ...groups] };
  });
}

/** Ids of a kind that a group has; undefined where none is asked for. Throws GEWU_NOT_FOUND. */
export async function idsOfGroup(
  of: ThingOf,
  group: string | undefined,
  upkeep: UpkeepService,
): Promise<Set<string> | undefined> {
  if (group === undefined) return undefined;
  const { members } = await upkeep.group(group);
  return new Set(members.filter((m) => m.of === of).map((m) => m.id));
}
