import type { Ack, Command, ConfigNotice } from '#grid/wire/mod.ts';
import type { Service } from '#service/mod.ts';
import type { CommandSender, ConfigSender } from '../ports.ts';

/** What comes in on `gewu/v1/{edge}/up/{lane}`. */
export type FrameReceiver = (topic: string, payload: Buffer) => void;

/**
 * Where frames come from and acks go to. `onFrame` is called once, before `start`; the receiver returns at once and
 * never throws. A frame may come again, in any order. `ack`, `send` and `notify` are best effort and never throw.
 */
export interface IntakePort extends Service, CommandSender, ConfigSender {
  onFrame(receive: FrameReceiver): void;
  /** `down/ack`, QoS 0: names exactly one frame. */
  ack(edge: string, ack: Ack): void;
  /** `down/command`, QoS 1. */
  send(edge: string, command: Command): void;
  /** `down/config`, QoS 1. */
  notify(notice: ConfigNotice): void;
  /** Whether frames can come in now; for /readyz. */
  ready(): boolean;
}
