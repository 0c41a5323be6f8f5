import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { LANES, type Lane, upTopic } from '#grid/wire/mod.ts';
import { event, healthLine } from '../ingest/intake/support.ts';
import { id, type Mutation, mutate, mutation, numberText, text } from './arbitraries.ts';

/** What an edge, or somebody who has its password, sends to the centre. */

export const EDGES = ['edge-01', 'edge-02'] as const;
/** Stands for the edge that the topic names, which is drawn apart from the lines. */
const OWN = '@own@';
const CELL = '110101001001017';
const DAY_MS = 86_400_000;

/** Line protocol as it may come: mostly canonical, each part sometimes anything. */
export const lineText: fc.Arbitrary<string> = fc
  .record({
    kind: mostly(fc.constantFrom('manhole_cover', 'streetlight', 'k-1'), text),
    cell: mostly(fc.constant(CELL), fc.oneof(text, fc.constantFrom('1', `${CELL}0`, 'x'.repeat(15)))),
    device: mostly(fc.oneof(fc.constantFrom('mc-1', 'mc-2'), id), text),
    edge: mostly(fc.constant(OWN), fc.oneof(fc.constantFrom(...EDGES), text)),
    tags: mostly(fc.constant(''), fc.oneof(fc.constantFrom(',edge=edge-02', ',extra=1', ' '), text)),
    fields: fc.array(
      fc.tuple(
        mostly(
          fc.oneof(fc.constantFrom('a', 'b', 'seq', 'tilt_deg'), id),
          fc.oneof(fc.constantFrom('time', 'edge', '__proto__'), text),
        ),
        mostly(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }).map(String), fc.nat().map(String)), fieldValue()),
      ),
      { minLength: 1, maxLength: 4 },
    ),
    ts: mostly(
      fc.integer({ min: 1, max: 3_600_000 }).map((ms) => `${Date.now() - ms}${String(ms % 1000).padStart(3, '0')}`),
      fc.oneof(
        numberText,
        text,
        fc.integer({ min: -40 * 365, max: 10 }).map((days) => `${Date.now() + days * DAY_MS}000`),
      ),
    ),
  })
  .map(({ kind, cell, device, edge, tags, fields, ts }) => {
    const all = fields.map(([name, v]) => `${name}=${v}`).join(',');
    return `${kind},cell=${cell},device=${device},edge=${edge}${tags} ${all} ${ts}`;
  });

function mostly<T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 24, arbitrary: usual }, { weight: 1, arbitrary: odd });
}

function fieldValue(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.constantFrom('true', 'false', 't', 'T', 'True'),
    numberText,
    text,
    text.map((t) => JSON.stringify(t)),
  );
}

/** A record as JSON with some of its values, at any depth, replaced. */
function changed(base: () => object, paths: readonly string[]): fc.Arbitrary<string> {
  const change = fc.tuple(
    fc.constantFrom(...paths),
    fc.oneof(fc.jsonValue({ maxDepth: 2 }), text, fc.constantFrom(OWN, '/edges/edge-02')),
  );
  const changes = fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: fc.array(change, { minLength: 1, maxLength: 2 }) },
  );
  return fc.tuple(id, changes).map(([name, list]) => {
    const record = JSON.parse(JSON.stringify(base()).replaceAll('@id@', name)) as Record<string, unknown>;
    for (const [path, v] of list) setAt(record, path.split('.'), v);
    return JSON.stringify(record);
  });
}

function setAt(record: Record<string, unknown>, path: string[], v: unknown): void {
  const last = path.pop() as string;
  let at: unknown = record;
  for (const key of path) at = (at as Record<string, unknown> | null)?.[key];
  // As JSON says it: a member, even when it is called __proto__.
  if (typeof at === 'object' && at !== null)
    Object.defineProperty(at, last, { value: v, enumerable: true, writable: true, configurable: true });
}

const deadLetter = {
  ts: 1_700_000_000_000,
  edge: OWN,
  of: 'dead-letter',
  id: 'mc-9',
  code: 'GEWU_PAYLOAD_NOT_JSON',
  reason: 'bad',
  topic: 'devices/mc-9/telemetry',
  payload: 'e30=',
};
const eventText = changed(
  () => event('@id@', { edge: OWN }),
  [
    'id',
    'source',
    'subject',
    'time',
    'type',
    'data',
    'data.revision',
    'data.edge',
    'data.confidence',
    'data.place.lon',
    'data.class',
    'data.origin',
    'data.evidence',
    'extra',
    '__proto__',
  ],
);
const healthText = fc.oneof(
  changed(() => healthLine('@id@', { edge: OWN }), ['ts', 'edge', 'of', 'id', 'state', 'reason', 'values', 'extra']),
  changed(() => deadLetter, ['ts', 'edge', 'of', 'id', 'code', 'reason', 'payload', 'topic']),
);
const ofLane: Record<Lane, fc.Arbitrary<string>> = { events: eventText, health: healthText, readings: lineText };

export interface FrameSpec {
  /** Null: `topic` says it. */
  edge: (typeof EDGES)[number] | null;
  topic: string;
  lane: Lane;
  /** What the header says beside the truth. */
  header: object;
  lines: readonly string[];
  packing: 'identity' | 'gzip' | 'says gzip' | 'says identity';
  bodyMutations: readonly Mutation[];
  frameMutations: readonly Mutation[];
}

const wild = fc.oneof(fc.nat(), fc.constantFrom(0, -1, 1e21, 100_001, 2 ** 53, 1.5), fc.jsonValue({ maxDepth: 1 }), text);
const headerChange = fc.record(
  {
    v: wild,
    edge: fc.oneof(fc.constantFrom(...EDGES), wild),
    epoch: wild,
    lane: fc.oneof(fc.constantFrom(...LANES), wild),
    first: wild,
    last: wild,
    count: wild,
    encoding: wild,
    extra: wild,
  },
  { requiredKeys: [] },
);
const few = (max: number) => fc.array(mutation, { minLength: 1, maxLength: max });

export const frameSpec: fc.Arbitrary<FrameSpec> = fc.constantFrom(...LANES).chain((lane) =>
  fc.record({
    edge: fc.oneof({ weight: 30, arbitrary: fc.constantFrom(...EDGES) }, { weight: 1, arbitrary: fc.constant(null) }),
    topic: fc.oneof(
      text,
      text.map((t) => `gewu/v1/${t}/up/${lane}`),
      text.map((t) => `gewu/v1/edge-01/up/${t}`),
    ),
    lane: fc.constant(lane),
    header: fc.oneof({ weight: 5, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: headerChange }),
    lines: fc.oneof(
      {
        weight: 20,
        arbitrary: fc.array(
          fc.oneof(
            { weight: 8, arbitrary: ofLane[lane] },
            { weight: 1, arbitrary: fc.oneof(text, fc.json(), lineText, healthText) },
          ),
          { maxLength: 6 },
        ),
      },
      // More lines than letters for them, and a body beyond what may be unpacked.
      { weight: 1, arbitrary: fc.constantFrom(Array<string>(1500).fill(''), Array<string>(40).fill('x'.repeat(30_000))) },
    ),
    packing: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom('identity' as const, 'gzip' as const) },
      { weight: 1, arbitrary: fc.constantFrom('says gzip' as const, 'says identity' as const) },
    ),
    bodyMutations: fc.oneof({ weight: 6, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: few(3) }),
    frameMutations: fc.oneof({ weight: 6, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: few(3) }),
  }),
);

/** `n` makes its epoch its own, so that it is no repeat of another frame. */
export function buildFrame(spec: FrameSpec, n: number): { topic: string; payload: Buffer } {
  const edge = spec.edge ?? 'edge-01';
  const body = mutate(Buffer.from(spec.lines.join('\n').replaceAll(OWN, edge)), spec.bodyMutations);
  const packed = spec.packing === 'gzip' || spec.packing === 'says identity' ? gzipSync(body, { level: 1 }) : body;
  const encoding = spec.packing === 'gzip' || spec.packing === 'says gzip' ? 'gzip' : 'identity';
  const count = Math.max(1, spec.lines.length);
  const truth = { v: 1, edge, epoch: `p${n}`, lane: spec.lane, first: 1, last: count, count, encoding };
  const payload = Buffer.concat([Buffer.from(`${JSON.stringify({ ...truth, ...spec.header })}\n`), packed]);
  return { topic: spec.edge === null ? spec.topic : upTopic(edge, spec.lane), payload: mutate(payload, spec.frameMutations) };
}
