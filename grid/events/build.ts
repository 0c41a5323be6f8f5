import type { EventData, EventRecord, EventType } from './event.ts';

/** Wraps one revision of an event into its CloudEvents envelope. `at` is UTC ms of this revision. */
export function toEventRecord(subject: string, type: EventType, at: number, data: EventData): EventRecord {
  return {
    specversion: '1.0',
    id: `${subject}.${data.revision}`,
    source: `/edges/${data.edge}`,
    type,
    time: new Date(at).toISOString(),
    subject,
    datacontenttype: 'application/json',
    data,
  };
}

/** The key by which two events speak of the same kind of thing: `2:0501`, `1:0102:cover_open`. */
export function classKey(c: { flag: number; code: string; fault?: string | undefined }): string {
  return c.fault === undefined ? `${c.flag}:${c.code}` : `${c.flag}:${c.code}:${c.fault}`;
}
