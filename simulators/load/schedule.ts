/** One stage of a load. `ramp` goes evenly from the rate before to `perS`; the others hold `perS`. */
export interface Stage {
  kind: 'ramp' | 'steady' | 'spike' | 'soak';
  forS: number;
  perS: number;
}

interface Piece {
  fromS: number;
  forS: number;
  fromPerS: number;
  toPerS: number;
  /** Messages before it. */
  before: number;
}

/**
 * When each message is due: a function of the stages alone, so that the schedule cannot slow down when the target does.
 * Message k (from 0) is due at the moment at which the rate, summed up, reaches k.
 */
export class Schedule {
  readonly #pieces: Piece[] = [];
  readonly durationS: number;
  readonly count: number;

  constructor(stages: readonly Stage[]) {
    let [fromS, perS, before] = [0, 0, 0];
    for (const { kind, forS, perS: toPerS } of stages) {
      const fromPerS = kind === 'ramp' ? perS : toPerS;
      this.#pieces.push({ fromS, forS, fromPerS, toPerS, before });
      before += ((fromPerS + toPerS) / 2) * forS;
      fromS += forS;
      perS = toPerS;
    }
    this.durationS = fromS;
    this.count = Math.floor(before);
  }

  /** Messages due up to this moment. */
  dueBy(atS: number): number {
    const piece = this.#pieces.findLast((p) => p.fromS <= atS);
    if (piece === undefined) return 0;
    const s = Math.min(atS - piece.fromS, piece.forS);
    const slope = (piece.toPerS - piece.fromPerS) / piece.forS;
    return Math.min(this.count, Math.floor(piece.before + piece.fromPerS * s + (slope * s * s) / 2 + 1e-9));
  }

  /** Seconds from the start. */
  timeOf(k: number): number {
    const wanted = k + 1;
    const piece = this.#pieces.findLast((p) => p.before < wanted) ?? this.#pieces[0];
    if (piece === undefined) return 0;
    const slope = (piece.toPerS - piece.fromPerS) / piece.forS;
    const more = wanted - piece.before;
    // Solves fromPerS s + slope s^2 / 2 = more, in the form that does not cancel.
    const root = Math.sqrt(Math.max(0, piece.fromPerS ** 2 + 2 * slope * more));
    return piece.fromS + Math.min(piece.forS, (2 * more) / (piece.fromPerS + root));
  }

  /** The rate that is meant at a moment. */
  perS(atS: number): number {
    const piece = this.#pieces.findLast((p) => p.fromS <= atS);
    if (piece === undefined || atS > this.durationS) return 0;
    return piece.fromPerS + ((piece.toPerS - piece.fromPerS) * (atS - piece.fromS)) / piece.forS;
  }
}
