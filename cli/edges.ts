import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import type { DesiredAnswer, DesiredDiffAnswer, DesiredSummary, EdgeModelAnswer, RevisionAnswer } from '#grid/api/mod.ts';
import { GewuError, readConfigFile } from '#service/mod.ts';
import type { ApiClient } from '#simulators/target/mod.ts';
import { API_FLAGS, apiOf } from './api.ts';
import { type Command, parseFlags, parseInteger, print, say } from './command.ts';

const FLAGS = {
  ...API_FLAGS,
  reason: { type: 'string' },
  out: { type: 'string' },
  check: { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

interface Call {
  api: ApiClient;
  /** Beyond the word itself. */
  args: readonly string[];
  reason: string | undefined;
  out: string | undefined;
  check: boolean;
  json: boolean;
}

/** What each word does, and how many arguments it takes. */
const WORDS: Record<string, { args: number; run: (call: Call) => Promise<void> }> = {
  list: { args: 0, run: list },
  show: { args: 1, run: show },
  set: { args: 2, run: set },
  history: { args: 1, run: history },
  diff: { args: 3, run: diff },
  return: { args: 2, run: returnTo },
};
const ARGS_MAX = 4;

export const edges: Command = {
  name: 'edges',
  summary: 'see and set what the centre wants of its edges',
  usage: `usage: gewu edges list
       gewu edges show EDGE [--out FILE]
       gewu edges set EDGE FILE --reason TEXT [--check]
       gewu edges history EDGE
       gewu edges diff EDGE FROM TO
       gewu edges return EDGE REVISION --reason TEXT

FILE is a desired state (cameras by id with zones, exclude, calibration, fps; calendars; maintenance), as \`show --out\` writes it: docs/configuration.md.
set replaces all of it; with --check it only says what is wrong. REVISION 0 is the edge's own file.
--url URL of the API (http://127.0.0.1:8080), --token-file FILE with a token; without it the environment's GEWU_TOKEN. --json prints the
API's answer on one line.`,
  async run(args) {
    const { values, positionals } = parseFlags(args, FLAGS, ARGS_MAX);
    const [word = '', ...rest] = positionals;
    const entry = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
    if (entry === undefined || rest.length !== entry.args) throw new GewuError('GEWU_USAGE', 'see `gewu help edges`');
    const api = await apiOf(values);
    const { reason, out, check = false, json = false } = values;
    await entry.run({ api, args: rest, reason, out, check, json });
    return 0;
  },
};

const desired = (edge: string | undefined) => `/api/v1/edges/${encodeURIComponent(edge ?? '')}/desired`;

async function list({ api, json }: Call): Promise<void> {
  const answer = await api.get<{ items: DesiredSummary[] }>('/api/v1/desired');
  print(json ? JSON.stringify(answer) : answer.items.map(inWords).join('\n'));
}

function inWords({ edge, revision, status, running, notes }: DesiredSummary): string {
  const lines = notes.map(({ code, key, message }) => `    ${code} ${key}: ${message}`);
  return [`${edge}  revision ${revision}, ${status}; running ${running ?? 'unknown'}`, ...lines].join('\n');
}

function modelInWords({ model, sha256, phase, wanted, code, message, cpuMs, notes }: EdgeModelAnswer): string {
  const speed = cpuMs === null ? '' : `, ${cpuMs.toFixed(1)} ms a picture`;
  const about = phase === 'active' ? '' : ` (${wanted || 'the one of the file'}: ${code} ${message})`;
  const file = sha256 === '' ? [] : [`    file ${sha256}`];
  return [`model ${model}, ${phase}${speed}${about}`, ...file, ...notes.map((n) => `    ${n.code} ${n.key}: ${n.message}`)].join(
    '\n',
  );
}

async function show({ api, args: [edge], out, json }: Call): Promise<void> {
  const answer = await api.get<DesiredAnswer>(desired(edge));
  if (out !== undefined) await writeFile(out, stringify(answer.state, { lineWidth: 0, aliasDuplicateObjects: false }));
  if (json) return print(JSON.stringify(answer));
  say(inWords(answer));
  if (answer.model !== null) say(modelInWords(answer.model));
  if (out === undefined) print(stringify(answer.state, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd());
}

async function set(call: Call): Promise<void> {
  const { api, args, check, reason = check ? 'a check' : undefined } = call;
  const state = await readConfigFile(args[1] ?? '');
  const { revision } = await api.get<DesiredAnswer>(desired(args[0]));
  const body = { revision, reason: reasonOf(reason), state };
  told(call, await api.send<DesiredAnswer>('PUT', `${desired(args[0])}?check=${check}`, body));
}

async function returnTo(call: Call): Promise<void> {
  const { api, args, check, reason } = call;
  const { revision } = await api.get<DesiredAnswer>(desired(args[0]));
  const body = { revision, reason: reasonOf(reason), to: revisionOf(args[1]) };
  told(call, await api.send<DesiredAnswer>('POST', `${desired(args[0])}/return?check=${check}`, body));
}

function told({ json, check }: Call, answer: DesiredAnswer): void {
  if (json) print(JSON.stringify(answer));
  else print(check ? `nothing wrong with it; revision ${answer.revision} stays` : inWords(answer));
}

async function history({ api, args: [edge], json }: Call): Promise<void> {
  const answer = await api.get<{ items: RevisionAnswer[] }>(`${desired(edge)}/revisions`);
  const line = (r: RevisionAnswer) =>
    `${String(r.revision).padStart(5)}  ${new Date(r.at).toISOString()}  ${r.by}  ${r.verdict ?? 'not judged'}  ${r.reason}`;
  print(json ? JSON.stringify(answer) : answer.items.map(line).join('\n'));
}

async function diff({ api, args: [edge, from, to], json }: Call): Promise<void> {
  const answer = await api.get<DesiredDiffAnswer>(`${desired(edge)}/diff?from=${revisionOf(from)}&to=${revisionOf(to)}`);
  const side = (value: unknown) => (value === undefined ? '-' : JSON.stringify(value));
  print(json ? JSON.stringify(answer) : answer.entries.map((e) => `${e.key}: ${side(e.from)} -> ${side(e.to)}`).join('\n'));
}

const REVISION_MAX = 2 ** 31 - 1;
const revisionOf = (text = ''): number => parseInteger('revision', text, 0, REVISION_MAX);

function reasonOf(reason: string | undefined): string {
  if (!reason) throw new GewuError('GEWU_USAGE', '--reason TEXT is needed: it is kept with the revision');
  return reason;
}
