import type { Case, EventRecord } from '#grid/mod.ts';
import { GewuError } from '#service/mod.ts';
import type { StoredSample } from '#simulators/report/mod.ts';
import type { ApiClient } from '#simulators/target/mod.ts';
import { tiltOf } from './site.ts';

/** Points in one answer of the API, at most. */
const POINTS_MAX = 20_000;
const ITEMS_MAX = 500;
const DAY_MS = 86_400_000;
const KIND = 'manhole_cover';
const QUERY_MS_MAX = 30_000;

/** Everything that the time series has of one device, whatever time it has. `salt` tells what each sample must say. */
export type ReadSamples = (device: string, salt: number) => Promise<StoredSample[]>;

/** Asks InfluxDB itself, past the centre. */
export function samplesFromInfluxdb(url: string, database = 'gewu'): ReadSamples {
  return async (device, salt) => {
    const q = `SELECT "seq", "tilt_deg" FROM "raw"."${KIND}" WHERE "device" = '${device}'`;
    const response = await fetch(`${url}/query?db=${database}&epoch=ms&q=${encodeURIComponent(q)}`, {
      signal: AbortSignal.timeout(QUERY_MS_MAX),
    });
    const answer = (await response.json()) as {
      error?: string;
      results?: { error?: string; series?: { values: [number, number | null, number | null][] }[] }[];
    };
    const [result] = answer.results ?? [];
    const error = answer.error ?? result?.error;
    if (error !== undefined) throw new GewuError('GEWU_STORE_UNAVAILABLE', `InfluxDB: ${error}`);
    return (result?.series ?? []).flatMap((s) => s.values.map(([, seq, tilt]) => sampleOf(salt, seq, tilt)));
  };
}

interface RawAnswer {
  points: { ts: number; fields: { seq?: number; tilt_deg?: number } }[];
  truncated: boolean;
}

/** Asks the API, page by page. `startedAt`: UTC ms of the first sample. */
export function samplesFromApi(api: ApiClient, startedAt: number): ReadSamples {
  return async (device, salt) => {
    const samples: StoredSample[] = [];
    const to = Date.now() + DAY_MS;
    for (let from = startedAt - DAY_MS; ; ) {
      const path = `/api/v1/readings?device=${device}&from=${from}&to=${to}&resolution=raw&limit=${POINTS_MAX}&fields=seq,tilt_deg`;
      const { points, truncated } = await api.get<RawAnswer>(path);
      for (const { fields } of points) samples.push(sampleOf(salt, fields.seq, fields.tilt_deg));
      const last = points.at(-1);
      if (!truncated || last === undefined) return samples;
      from = last.ts + 1;
    }
  };
}

function sampleOf(salt: number, seq: number | null | undefined, tilt: number | null | undefined): StoredSample {
  return { seq: seq ?? Number.NaN, intact: seq != null && tilt === tiltOf(salt, seq) };
}

export interface StoredEvent {
  record: EventRecord;
  case: string | null;
}

export const readCases = (api: ApiClient) => readAll<Case>(api, '/api/v1/cases');
export const readEvents = (api: ApiClient) => readAll<StoredEvent>(api, '/api/v1/events');

/** How many records the centre could not use. */
export async function deadLetters(api: ApiClient): Promise<{ hop: string; code: string; count: number }[]> {
  return (await api.get<{ items: { hop: string; code: string; count: number }[] }>('/api/v1/dead-letters/counts')).items;
}

async function readAll<T>(api: ApiClient, path: string): Promise<T[]> {
  const all: T[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: { items: T[]; cursor: string | null } = await api.get(
      `${path}?limit=${ITEMS_MAX}${cursor === '' ? '' : `&cursor=${cursor}`}`,
    );
    all.push(...page.items);
    cursor = page.cursor;
  }
  return all;
}
