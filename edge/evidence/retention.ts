import { type Static, Type } from 'typebox';

const Rule = Type.Object(
  {
    /** What the centre has, and originals, go after so long. */
    days: Type.Number({ minimum: 0, maximum: 3650 }),
    /** Of the quota, at the most; what is beyond goes, oldest first, so that one class cannot push out the others. */
    share: Type.Optional(Type.Number({ minimum: 0.01, maximum: 1, description: 'all of it unless told' })),
  },
  { additionalProperties: false },
);

/** By class key or a prefix of it (`2:0501`, `1:0102`), the longest match wins; `*` is every class. */
export const Retention = Type.Record(Type.String({ maxLength: 80 }), Rule, {
  default: { '*': { days: 30 } },
});
export type Retention = Static<typeof Retention>;

const classExpression = /^(\*|[12]:[0-9]{4}(:[A-Za-z0-9_-]{1,64})?)$/;
/** Keys that name no class: a record's pattern lets them pass unchecked. */
export const strangeClasses = (retention: Retention): string[] =>
  Object.keys(retention).filter((key) => !classExpression.test(key));

export interface KeptFile {
  sha256: string;
  bytes: number;
  /** UTC ms. */
  takenAt: number;
  /** Of the event that it proves. */
  class: string;
  /** The centre does not have it yet: it goes last, and never for its age. */
  waits: boolean;
}

const DAY_MS = 86_400_000;

/**
 * What has to go, in this order: what is older than its class is kept; what is beyond its class's share; what is beyond the
 * quota. Within each the oldest first, and what the centre has before what it has not. `newest` stays in any case.
 */
export function whatGoes<F extends KeptFile>(
  files: readonly F[],
  { quotaBytes, retention, now, newest }: { quotaBytes: number; retention: Retention; now: number; newest?: string },
): F[] {
  const others = files
    .filter((f) => f.sha256 !== newest)
    .sort((a, b) => Number(a.waits) - Number(b.waits) || a.takenAt - b.takenAt);
  const gone = new Set<F>();
  for (const file of others) if (!file.waits && now - file.takenAt > ruleOf(retention, file.class).days * DAY_MS) gone.add(file);
  const left = () => files.filter((f) => !gone.has(f));
  const trim = (among: readonly F[], bytesMax: number, mayGo: (f: F) => boolean) => {
    let bytes = among.reduce((sum, f) => sum + f.bytes, 0);
    for (const file of others) {
      if (bytes <= bytesMax) return;
      if (gone.has(file) || !mayGo(file)) continue;
      gone.add(file);
      bytes -= file.bytes;
    }
  };
  for (const [name, ofClass] of Map.groupBy(left(), (f) => f.class))
    trim(ofClass, (ruleOf(retention, name).share ?? 1) * quotaBytes, (f) => f.class === name);
  trim(left(), quotaBytes, () => true);
  return [...gone];
}

function ruleOf(retention: Retention, classKey: string): Retention[string] {
  const matches = Object.keys(retention).filter((key) => key === classKey || classKey.startsWith(`${key}:`));
  const key = matches.sort((a, b) => b.length - a.length)[0] ?? '*';
  return retention[key] ?? { days: Number.POSITIVE_INFINITY };
}
