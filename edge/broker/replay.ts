import { REPLAY_ACTIONS, type ReplayPayloadCommand, replaySubject } from '#grid/wire/mod.ts';
import type { Log } from '#service/mod.ts';
import type { BrokerPolicy } from '#service/mqtt/mod.ts';
import type { Trail } from '../audit/mod.ts';

export interface ReplayDeps {
  policy: Pick<BrokerPolicy, 'publish'>;
  trail: Pick<Trail, 'record'>;
  log: Log;
}

/**
 * A payload that a person has mended at the centre goes through the door that its device goes through: the same rights, mappings and checks. What
 * cannot be used again becomes a dead letter again.
 */
export async function replayPayload({ policy, trail, log }: ReplayDeps, command: ReplayPayloadCommand): Promise<void> {
  const { letter, sender, topic, payload, by: actor, roles, reason: purpose } = command;
  const act = { actor, roles, subject: replaySubject(letter), purpose, grant: '' };
  try {
    await policy.publish({ clientId: sender, username: sender }, { topic, payload: Buffer.from(payload, 'base64'), qos: 1 });
    await trail.record({ ...act, action: REPLAY_ACTIONS.taken });
  } catch (error) {
    log.info({ letter, sender, topic, error: (error as Error).message }, 'a payload was not taken again');
    await trail.record({ ...act, action: REPLAY_ACTIONS.refused, reason: (error as Error).message.slice(0, 256) });
  }
}
