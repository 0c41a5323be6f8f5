import type { Judged, PromotionAnswer, TrialAnswer, TrialFigures } from '#grid/api/mod.ts';
import { GewuError } from '#service/mod.ts';
import { API_FLAGS, apiOf } from '../api.ts';
import { parseFlags, print } from '../command.ts';

export const COMPARE_USAGE = `gewu models compare SHA256 [--json]
  A candidate (by its package's hash, as \`gewu models sign\` prints it) held against the model in use, on the same cameras in the same hours:
  incidents gained and lost, false alarms per camera-day. Exit status 1 while a limit of \`promotion\` in ingest.yaml is not kept.`;
export const PROMOTE_USAGE = `gewu models promote SHA256 --to one|all --reason TEXT [--edge EDGE] [--force] [--json]
  The candidate takes the place of the model in use on one edge, and on all when that one has kept it through its soak time. It returns by
  itself where it does worse there. --force: although the comparison does not carry it.`;
export const RETURN_USAGE = `gewu models return SHA256 --reason TEXT [--edge EDGE] [--json]
  The model before is used again, on one edge or on all that were given this one by promote.`;

const FLAGS = {
  ...API_FLAGS,
  to: { type: 'string' },
  edge: { type: 'string' },
  reason: { type: 'string' },
  force: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

const pathOf = (sha256: string): string => `/api/v1/trials/${encodeURIComponent(sha256)}`;

export async function compare(args: readonly string[]): Promise<number> {
  const { values, sha256 } = parsed(args, 'gewu models compare SHA256');
  const trial = await (await apiOf(values)).get<TrialAnswer>(pathOf(sha256));
  print(values.json ? JSON.stringify(trial) : inWords(trial));
  return trial.supported ? 0 : 1;
}

export async function promote(args: readonly string[]): Promise<number> {
  const { values, sha256 } = parsed(args, 'gewu models promote SHA256 --to one|all --reason TEXT');
  const { to, edge, reason, force } = values;
  if (!reason || (to !== 'one' && to !== 'all')) throw new GewuError('GEWU_USAGE', '--to one|all and --reason TEXT are needed');
  return change(values, `${pathOf(sha256)}/promote`, {
    to,
    reason,
    ...(edge === undefined ? {} : { edge }),
    ...(force ? { forced: true } : {}),
  });
}

export async function returnModel(args: readonly string[]): Promise<number> {
  const { values, sha256 } = parsed(args, 'gewu models return SHA256 --reason TEXT');
  const { edge, reason } = values;
  if (!reason) throw new GewuError('GEWU_USAGE', '--reason TEXT is needed');
  return change(values, `${pathOf(sha256)}/return`, { reason, ...(edge === undefined ? {} : { edge }) });
}

function parsed(args: readonly string[], usage: string) {
  const { values, positionals } = parseFlags(args, FLAGS, 1);
  const [sha256] = positionals;
  if (sha256 === undefined) throw new GewuError('GEWU_USAGE', usage);
  return { values, sha256 };
}

async function change(values: ReturnType<typeof parsed>['values'], path: string, body: object): Promise<number> {
  const answer = await (await apiOf(values)).send<{ items: PromotionAnswer[] }>('POST', path, body);
  print(values.json ? JSON.stringify(answer) : answer.items.map(promotionInWords).join('\n'));
  return 0;
}

const promotionInWords = ({ edge, state, at, soakUntil, endedBecause }: PromotionAnswer): string =>
  `${edge}  ${state}  since ${new Date(at).toISOString()}, ${endedBecause ?? `watched until ${new Date(soakUntil).toISOString()}`}`;

function inWords(trial: TrialAnswer): string {
  const { model, against, cameras, cameraHours, pictures, skipped, total, perClass, unmet, edges, promotions } = trial;
  return [
    `${model} beside ${against.join(', ') || 'nothing yet'}: ${cameras} cameras, ${cameraHours} camera-hours, ${pictures} pictures (${skipped} skipped)`,
    ...edges.map(({ edge, candidate: c }) => `${edge}  ${c.phase}${c.code === '' ? '' : ` (${c.code} ${c.message})`}`),
    figuresInWords('all', total),
    ...Object.entries(perClass).map(([name, figures]) => figuresInWords(name, figures)),
    ...unmet.map(({ limit, wanted, is }) => `wanting: ${limit} ${wanted}, it is ${is}`),
    ...promotions.map(promotionInWords),
  ].join('\n');
}

function figuresInWords(name: string, { both, gained, lost, active, candidate }: TrialFigures): string {
  const judged = ({ accepted, rejected, unjudged }: Judged) => `${accepted}/${rejected}/${unjudged}`;
  const rate = (value: number | null) => value ?? '-';
  return (
    `${name.padEnd(14)} right/wrong/unjudged: both ${judged(both)}, gained ${judged(gained)}, lost ${judged(lost)}; ` +
    `false alarms a camera-day ${rate(active.falseAlarmsPerCameraDay)} -> ${rate(candidate.falseAlarmsPerCameraDay)}`
  );
}
