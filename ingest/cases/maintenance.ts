import type { EventRecord } from '#grid/wire/mod.ts';
import type { EventsTable } from '../database/mod.ts';

/** What somebody works on in a time, and when; as the maintenance windows say. */
export type WindowsOf = (
  from: number,
  to: number,
) => Promise<readonly { thing: { of: string; id: string }; from: number; to: number }[]>;

/** Whether somebody works on a device or camera at a time, UTC ms. */
export type IsWorkedOn = (source: Thing, at: number) => boolean;

export type Thing = Pick<EventsTable, 'origin' | 'source'>;

/** Reads what is needed to answer for these times. */
export async function workAt(windowsOf: WindowsOf, times: readonly number[]): Promise<IsWorkedOn> {
  if (times.length === 0) return () => false;
  const spans = Map.groupBy(
    await windowsOf(Math.min(...times), Math.max(...times) + 1),
    ({ thing }) => `${thing.of} ${thing.id}`,
  );
  return ({ origin, source }, at) => {
    const of = origin === 'camera' ? 'camera' : 'device';
    return (spans.get(`${of} ${source}`) ?? []).some(({ from, to }) => from <= at && at < to);
  };
}

/**
 * What is raised while somebody works there is recorded only. Edges do so themselves with the alarms of their sensors (docs/alarms.md); for
 * cameras, and for edges that were not told, the centre does. What opened a case before goes on feeding it.
 */
export function recorded(record: EventRecord, known: EventsTable | undefined, isWorkedOn: IsWorkedOn): EventRecord {
  const { data } = record;
  const isTold = data.suppressed !== undefined || data.late === true || (known !== undefined && known.case_id !== null);
  if (isTold || !isWorkedOn(sourceOf(data), data.lastSeenAt)) return record;
  return { ...record, data: { ...data, suppressed: 'maintenance' } };
}

export const sourceOf = ({ origin }: EventRecord['data']): Thing =>
  origin.by === 'sensor' ? { origin: 'sensor', source: origin.device } : { origin: 'camera', source: origin.camera };

/** The same, told aloud: the work is over and it is still so. */
export function toldAloud(record: EventRecord): EventRecord {
  const { suppressed: _, ...data } = record.data;
  return { ...record, data };
}
