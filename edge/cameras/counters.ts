import { Counter, Gauge, Histogram, type Metrics } from '#service/mod.ts';

/** What `/metrics` shows of the cameras. */
export interface CameraMetrics {
  decoded: Counter<'camera'>;
  analysed: Counter<'camera'>;
  dropped: Counter<'camera'>;
  /** Spared the detector: nothing moved in them. */
  still: Counter<'camera'>;
  streamFailures: Counter<'camera' | 'stream' | 'reason'>;
  online: Gauge<'camera'>;
  inferenceSeconds: Histogram;
  /** From a picture's arrival to what was found in it: with the wait for a thread. */
  detectSeconds: Histogram;
  /** Events that were not opened because the model knows only drawn scenes and the camera is a real one. */
  shadowEvents: Counter<'camera'>;
}

export function cameraMetrics(metrics: Metrics): CameraMetrics {
  const registers = [metrics];
  const labelNames = ['camera'] as const;
  return {
    decoded: new Counter({
      name: 'gewu_camera_frames_decoded_total',
      help: 'Pictures that came from ffmpeg',
      labelNames,
      registers,
    }),
    analysed: new Counter({
      name: 'gewu_camera_frames_analysed_total',
      help: 'Pictures that the detector saw',
      labelNames,
      registers,
    }),
    dropped: new Counter({
      name: 'gewu_camera_frames_dropped_total',
      help: 'Pictures replaced by newer ones or lost',
      labelNames,
      registers,
    }),
    still: new Counter({
      name: 'gewu_camera_frames_still_total',
      help: 'Pictures without motion that the detector did not see',
      labelNames,
      registers,
    }),
    streamFailures: new Counter({
      name: 'gewu_camera_stream_failures_total',
      help: 'Times that a stream broke',
      labelNames: ['camera', 'stream', 'reason'],
      registers,
    }),
    online: new Gauge({ name: 'gewu_camera_online', help: '1 while pictures come', labelNames, registers }),
    inferenceSeconds: new Histogram({
      name: 'gewu_inference_seconds',
      help: 'One run of the detector',
      buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
      registers,
    }),
    detectSeconds: new Histogram({
      name: 'gewu_camera_detect_seconds',
      help: 'From the arrival of a picture to its detections',
      buckets: [0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2, 5],
      registers,
    }),
    shadowEvents: new Counter({
      name: 'gewu_camera_shadow_events_total',
      help: 'Findings without an event: the model may not speak for this camera',
      labelNames,
      registers,
    }),
  };
}

/** Pictures per second over the last ten seconds. */
export class RateWindow {
  static readonly #SPAN_MS = 10_000;
  readonly #times: number[] = [];
  readonly #sinceMs: number;

  constructor(sinceMs: number) {
    this.#sinceMs = sinceMs;
  }

  add(nowMs: number): void {
    this.#times.push(nowMs);
    this.#trim(nowMs);
  }

  perSecond(nowMs: number): number {
    this.#trim(nowMs);
    const spanMs = Math.min(RateWindow.#SPAN_MS, Math.max(1000, nowMs - this.#sinceMs));
    return Math.round((this.#times.length / spanMs) * 100_000) / 100;
  }

  #trim(nowMs: number): void {
    while (this.#times.length > 0 && (this.#times[0] as number) < nowMs - RateWindow.#SPAN_MS) this.#times.shift();
  }
}
