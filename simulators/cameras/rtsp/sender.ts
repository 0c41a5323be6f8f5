import type { Clock } from '#service/mod.ts';
import { type RtpStream, rtpTime } from './rtp.ts';
import type { AccessUnit } from './unit.ts';

export interface SenderLimits {
  /** Bytes that may wait for a slow client; beyond, pictures are left out until the next key picture. */
  backlogBytesMax: number;
  /** A client that stays behind for so long is disconnected. */
  behindMsMax: number;
}

/** What a sender needs of its connection. */
export interface ByteSink {
  write(bytes: Buffer): void;
  /** Bytes handed over and not yet taken by the system. */
  backlogBytes(): number;
  close(reason: string): void;
}

export interface SenderDeps {
  stream: RtpStream;
  /** Of the RTP timestamps. */
  timestampOffset: number;
  sink: ByteSink;
  limits: SenderLimits;
  clock: Clock;
}

const CNAME = 'gewu-simulated-camera';

/**
 * Sends one mount's pictures to one client, and bounds what may wait for it:
 *
 *   in step --backlog over the limit--> skipping to the next key picture --still over--> ... --behindMsMax--> closed
 */
export class MediaSender {
  readonly #deps: SenderDeps;
  #awaitsKey = true;
  #behindSinceMs: number | null = null;
  /** Pictures left out because the client was slow. */
  skipped = 0;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
  }

  /** The next picture sent will be a key picture: what came before has a gap. */
  awaitKey(): void {
    this.#awaitsKey = true;
  }

  send(unit: AccessUnit, spoil?: (payload: Buffer) => void): void {
    const { sink, limits, clock } = this.#deps;
    if (sink.backlogBytes() > limits.backlogBytesMax) {
      this.#awaitsKey = true;
      this.skipped++;
      this.#behindSinceMs ??= clock.monotonic();
      if (clock.monotonic() - this.#behindSinceMs > limits.behindMsMax) sink.close('slow client');
      return;
    }
    this.#behindSinceMs = null;
    if (this.#awaitsKey && !unit.key) return;
    this.#awaitsKey = false;
    sink.write(this.#deps.stream.packetize(unit, this.timestampOf(unit), spoil));
  }

  timestampOf(unit: AccessUnit): number {
    return rtpTime(unit.capturedMs, this.#deps.timestampOffset);
  }

  /** A sender report, unless the client is behind anyway. */
  report(): void {
    const { sink, limits, clock, stream, timestampOffset } = this.#deps;
    if (sink.backlogBytes() > limits.backlogBytesMax) return;
    sink.write(stream.senderReport(clock.now(), rtpTime(clock.monotonic(), timestampOffset), CNAME));
  }
}
