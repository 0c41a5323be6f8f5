import type { Usage } from '../target/mod.ts';

type Measured = Exclude<keyof Usage, 'atS'>;

/** CPU seconds from the first look to the last; null where a process did not say it at two of them. */
export function cpuSecondsOf(points: readonly Usage[]): number | null {
  const said = points.flatMap((u) => u.cpuS ?? []);
  return said.length < 2 ? null : (said.at(-1) as number) - (said[0] as number);
}

/** The most that a process ever said of one thing; null where it never did. */
export function mostOf(points: readonly Usage[], name: Measured): number | null {
  const said = points.flatMap((u) => u[name] ?? []);
  return said.length === 0 ? null : Math.max(...said);
}

/** What each process of the target did not say of itself, though it was asked. */
export function unsaid(usage: Readonly<Record<string, readonly Usage[]>>): string[] {
  const names: readonly Measured[] = ['cpuS', 'residentMb', 'eventLoopP99Ms'];
  return Object.entries(usage).flatMap(([process, points]) => {
    if (points.length === 0) return [`${process} did not answer at /metrics`];
    const missing = names.filter((name) => mostOf(points, name) === null);
    return missing.length === 0 ? [] : [`${process} does not say ${missing.join(', ')}`];
  });
}
