import { createHash } from 'node:crypto';
import type { DeadLetterAnswer, ReplayAnswer } from '#grid/api/mod.ts';
import { LANES, type Lane } from '#grid/wire/mod.ts';
import { type Clock, GewuError, isGewuError } from '#service/mod.ts';
import { type Asker, type Audit, actorOf } from '../audit/mod.ts';
import type { DeviceService } from '../devices/mod.ts';
import type { CommandSender } from '../ports.ts';
import type { DeadLetterDesk, DeadLetterStore, Mended } from './types.ts';

export interface DeskDependencies {
  letters: DeadLetterStore;
  /** The way of a lane; see Intake.replay. */
  replay(edge: string, lane: Lane, record: Buffer): Promise<{ letter: string }>;
  commands: CommandSender;
  devices: Pick<DeviceService, 'edge'>;
  audit: Pick<Audit, 'record'>;
  clock: Clock;
}

/** Payloads are kept up to here; one of just this length was cut. */
const KEPT_BYTES = 4096;
const NEWLINE = 0x0a;

const laneOf = (hop: string): Lane | null => LANES.find((lane) => lane === hop) ?? null;
const refused = (why: string) => new GewuError('GEWU_REPLAY_REFUSED', why);

/**
 * What becomes of a letter by its hop:
 *
 *   events, health, readings --> a frame of its own, through the intake: stored, or a letter again with its new reason
 *   device                   --> a command to its edge, through the door of its device; the edge's trail says what became of it
 *   frame                    --> nothing: what was wrong is the frame, whose edge sends its records again
 */
export function createDeadLetterDesk(deps: DeskDependencies): DeadLetterDesk {
  const { letters, audit } = deps;
  return {
    async replay(id, mended, by) {
      const letter = await letters.get(id);
      const payload = payloadOf(letter, mended);
      const lane = laneOf(letter.hop);
      if (lane === null && letter.hop !== 'device')
        throw refused(`what is wrong with a ${letter.hop} cannot be mended in a record`);
      if (lane !== null && payload.includes(NEWLINE)) throw refused('a record is one line');
      const topic = mended.topic ?? letter.topic ?? '';
      if (lane === null) await checkEdge(deps, letter, topic);
      await audit.record({
        ...actorOf(by),
        action: 'dead-letter-replayed',
        subject: `dead-letter:${id}`,
        purpose: mended.reason,
        detail: {
          ...about(letter),
          mended: mended.payload !== undefined,
          sha256: hashOf(payload),
          ...(lane === null ? { topic } : {}),
        },
      });
      return lane === null
        ? send(deps, letter, { payload, topic, reason: mended.reason }, by)
        : again(deps, letter, lane, payload);
    },

    async discard(ids, reason, by) {
      const known: DeadLetterAnswer[] = [];
      for (const id of ids) {
        const letter = await letters.get(id).catch((error: unknown) => {
          if (isGewuError(error, 'GEWU_NOT_FOUND')) return null;
          throw error;
        });
        if (letter !== null) known.push(letter);
      }
      for (const letter of known) {
        const detail = { ...about(letter), sha256: hashOf(Buffer.from(letter.payload, 'base64')) };
        const subject = `dead-letter:${letter.id}`;
        await audit.record({ ...actorOf(by), action: 'dead-letter-discarded', subject, purpose: reason, detail });
      }
      return letters.remove(known.map((l) => l.id));
    },

    async answered(id, why) {
      if (why === null) await letters.remove([id]);
      else await letters.cameBack(id, null, why);
    },
  };
}

const about = ({ edge, hop, code, source }: DeadLetterAnswer) => ({ edge, hop, code, source });
const hashOf = (payload: Buffer): string => createHash('sha256').update(payload).digest('hex');

function payloadOf(letter: DeadLetterAnswer, { payload }: Mended): Buffer {
  const bytes = Buffer.from(payload ?? letter.payload, 'base64');
  if (payload === undefined && bytes.length >= KEPT_BYTES) throw refused(`its payload was cut at ${KEPT_BYTES} bytes`);
  if (bytes.length === 0) throw refused('its payload is empty');
  return bytes;
}

async function checkEdge({ devices }: DeskDependencies, { edge, source }: DeadLetterAnswer, topic: string): Promise<void> {
  if (topic === '') throw refused('its topic is not known: give one');
  if (source === '') throw refused('its sender is not known');
  const { state } = await devices.edge(edge);
  if (state !== 'online') throw refused(`edge ${edge} is ${state}`);
}

/** Through the intake. What is stored is a letter no more; what is refused again is another one, which takes its place. */
async function again(deps: DeskDependencies, letter: DeadLetterAnswer, lane: Lane, payload: Buffer): Promise<ReplayAnswer> {
  const { letters } = deps;
  const { letter: id } = await deps.replay(letter.edge, lane, payload);
  const broken = await letters.get(id).catch((error: unknown) => {
    if (isGewuError(error, 'GEWU_NOT_FOUND')) return null;
    throw error;
  });
  await letters.remove([letter.id]);
  if (broken === null) return { outcome: 'stored', letter: null };
  await letters.cameBack(id, letter.replays + 1);
  return { outcome: 'broken', letter: await letters.get(id) };
}

/** To its edge. The letter stays until the edge has said what became of it: a command may be lost. */
async function send(
  { letters, commands, clock }: DeskDependencies,
  letter: DeadLetterAnswer,
  { payload, topic, reason }: { payload: Buffer; topic: string; reason: string },
  by: Asker,
): Promise<ReplayAnswer> {
  await letters.cameBack(letter.id, letter.replays + 1);
  commands.send(letter.edge, {
    ...{ command: 'replay-payload', letter: letter.id, sender: letter.source, topic, payload: payload.toString('base64') },
    ...{ by: by.id, roles: [...by.roles], reason, ts: clock.now() },
  });
  return { outcome: 'sent', letter: await letters.get(letter.id) };
}
