import type { Log } from '#service/mod.ts';
import type { SecondSources } from '../events.ts';
import type { Alarm } from './alarm.ts';
import type { EventTeller } from './telling.ts';

/** Of a critical alarm where a camera might see it as well: sensors fall off, drown and are struck. */
const CONFIDENCE_ALONE = 0.9;

/**
 * Holds critical alarms against a second source. The alarm is told at once and stands whatever the other says: its word
 * becomes another revision. Agreement makes it surer (both would have to be wrong), disagreement is on record.
 */
export class SecondOpinions {
  readonly #sources: SecondSources | null;
  readonly #teller: EventTeller;
  readonly #log: Log;

  constructor({ sources, teller, log }: { sources: SecondSources | null; teller: EventTeller; log: Log }) {
    this.#sources = sources;
    this.#teller = teller;
    this.#log = log;
  }

  /** Of one that is about to be told. */
  confidenceOf({ rule }: Alarm): number {
    return this.#sources !== null && rule.severity === 'critical' ? CONFIDENCE_ALONE : 1;
  }

  /** Asks for one that was told and not held against anybody yet; returns at once. */
  seek(alarm: Alarm, now: number): void {
    const { open, rule } = alarm;
    if (this.#sources === null || open === null || open.second !== undefined || rule.severity !== 'critical') return;
    const { event } = open;
    const { class: eventClass, place } = alarm.about(now);
    this.#sources
      .ask({ event, class: eventClass, place })
      .then(({ second, evidence }) => {
        if (alarm.open?.event !== event) {
          this.#log.info({ event, second }, 'an alarm had ended before a camera had looked');
          return;
        }
        const doubt = (1 - CONFIDENCE_ALONE) * (second.verdict === 'agrees' ? 1 - (second.detected?.score ?? 0) : 1);
        this.#teller.heard(alarm, { second, evidence, confidence: Math.round((1 - doubt) * 1000) / 1000 });
        return this.#teller.save();
      })
      .catch((error: unknown) => this.#log.error({ event, err: error }, 'a second source'));
  }
}
