import type { DesiredAnswer, DesiredCameraAnswer } from '#grid/api/mod.ts';
import { GewuError } from '#service/mod.ts';
import type { ApiClient } from '#simulators/target/mod.ts';
import { API_FLAGS, apiOf } from '../api.ts';
import { parseFlags, parseInteger, print } from '../command.ts';

export const ATTEST_USAGE = `gewu models attest CAMERA --sha256 HASH --recall SHARE --people N --reason TEXT [--json]
gewu models attest CAMERA --withdraw --reason TEXT [--json]
  You vouch that the model with this file (its hash, as \`gewu edges show\` prints it) finds the people of a camera: of N people counted on pictures of
  that very camera, 100 at least, it has found this share, 0.95 at least. Pictures of the camera's events then show the street, people covered. Supervision
  and administrators; an entry of the audit trail. --withdraw takes it back. --url, --token-file as in \`gewu edges\`. docs/evidence.md.`;

const FLAGS = {
  ...API_FLAGS,
  sha256: { type: 'string' },
  recall: { type: 'string' },
  people: { type: 'string' },
  withdraw: { type: 'boolean', default: false },
  reason: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

export async function attest(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseFlags(args, FLAGS, 1);
  const [camera] = positionals;
  const { sha256, recall, people, withdraw, reason, json } = values;
  const counted = [sha256, recall, people];
  const isWhole = withdraw ? counted.every((v) => v === undefined) : counted.every((v) => v !== undefined);
  if (camera === undefined || !reason || !isWhole) throw new GewuError('GEWU_USAGE', ATTEST_USAGE.split('\n  ')[0] as string);
  const api = await apiOf(values);
  const path = `/api/v1/cameras/${encodeURIComponent(camera)}/person-recall`;
  const answer = withdraw
    ? await api.send<DesiredCameraAnswer>('POST', `${path}/withdraw`, { reason })
    : await api.send<DesiredCameraAnswer>('PUT', path, {
        ...{ sha256, recall: Number(recall), reason },
        people: parseInteger('people', people ?? '', 1, Number.MAX_SAFE_INTEGER),
      });
  print(json ? JSON.stringify(answer) : await inWords(api, answer));
  return 0;
}

async function inWords(api: ApiClient, { camera, edge, revision, personRecall }: DesiredCameraAnswer): Promise<string> {
  const told = `${edge} is told by revision ${revision}`;
  if (personRecall === null) return `${camera}: all around an event is covered; ${told}`;
  const { sha256, recall, people, by, at } = personRecall;
  const { model } = await api.get<DesiredAnswer>(`/api/v1/edges/${encodeURIComponent(edge)}/desired`);
  const inUse =
    model?.sha256 === sha256
      ? []
      : [`  not the model in use there (${model?.sha256 || 'unknown'}): until it is, all stays covered`];
  return [`${camera}: ${recall} of ${people} people found by ${sha256}, says ${by} on ${at}; ${told}`, ...inUse].join('\n');
}
