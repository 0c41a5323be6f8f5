import type { Lane } from '#grid/wire/mod.ts';
import { LaneCursor, type Rows } from './cursor.ts';
import { RoundTrip } from './rtt.ts';
import { Window, type WindowLimits } from './window.ts';

/** How one lane is getting on. Lanes share nothing but the connection: behind each there is another store. */
export interface LaneState {
  readonly cursor: LaneCursor;
  readonly window: Window;
  readonly rtt: RoundTrip;
}

/** Frames of live records beyond the window, so that a backlog on its way does not hold them up. */
export const LIVE_FRAMES = 2;
/** With the live ones these are FLIGHT_FRAMES_MAX. */
const WINDOWS: Record<Lane, WindowLimits> = {
  events: { startFrames: 2, framesMax: 4 },
  health: { startFrames: 2, framesMax: 2 },
  readings: { startFrames: 4, framesMax: 20 },
};

/**
 * Unpacked bytes of a frame, at most: fits the wire even when it does not compress. Events go in smaller ones: the centre needs
 * a millisecond for each, and an ack that takes long looks like one that is lost.
 */
export const BODY_BYTES_MAX: Record<Lane, number> = { events: 48 * 1024, health: 240 * 1024, readings: 240 * 1024 };

export function createLanes(outbox: Rows): Record<Lane, LaneState> {
  const lane = (name: Lane): LaneState => ({
    cursor: new LaneCursor(name, outbox),
    window: new Window(WINDOWS[name]),
    rtt: new RoundTrip(),
  });
  return { events: lane('events'), health: lane('health'), readings: lane('readings') };
}
