/** A process of the target that says in Prometheus' text how it is. */
export interface Watched {
  /** `centre`, or the id of an edge. */
  name: string;
  /** Of its `/metrics`. */
  url: string;
  headers?: Record<string, string>;
}

const ANSWER_MS_MAX = 5_000;

/** What it says of itself; null while it does not answer. */
export function readMetrics({ url, headers = {} }: Watched, end?: AbortSignal): Promise<string | null> {
  const late = AbortSignal.timeout(ANSWER_MS_MAX);
  return fetch(url, { headers, signal: end === undefined ? late : AbortSignal.any([late, end]) })
    .then((r) => (r.ok ? r.text() : null))
    .catch(() => null);
}

/** The value of one series, named as it stands there, with its labels; null where it does not stand there. */
export function metricOf(text: string, series: string): number | null {
  const head = `\n${series} `;
  const at = `\n${text}`.indexOf(head);
  const value = at < 0 ? Number.NaN : Number.parseFloat(text.slice(at + head.length - 1));
  return Number.isNaN(value) ? null : value;
}
