/** MQTT topics, both hops. Source: docs/wire.md. */

export const LANES = ['events', 'health', 'readings'] as const;
/** In the order in which they leave after an outage. */
export type Lane = (typeof LANES)[number];

/** Device to edge. */
export const telemetryTopic = (device: string) => `devices/${device}/telemetry`;
export const statusTopic = (device: string) => `devices/${device}/status`;

/** Edge to centre. */
export const upTopic = (edge: string, lane: Lane) => `gewu/v1/${edge}/up/${lane}`;
export const UP_FILTER = 'gewu/v1/+/up/+';
/** Centre to edge. */
export const ackTopic = (edge: string) => `gewu/v1/${edge}/down/ack`;
export const configTopic = (edge: string) => `gewu/v1/${edge}/down/config`;
export const commandTopic = (edge: string) => `gewu/v1/${edge}/down/command`;
export const downFilter = (edge: string) => `gewu/v1/${edge}/down/+`;

const upExpression = /^gewu\/v1\/([A-Za-z0-9_-]{1,64})\/up\/(events|health|readings)$/;
export function parseUpTopic(topic: string): { edge: string; lane: Lane } | null {
  const m = upExpression.exec(topic);
  return m ? { edge: m[1] as string, lane: m[2] as Lane } : null;
}

const deviceExpression = /^devices\/([A-Za-z0-9_-]{1,64})\/(telemetry|status)$/;
export function parseDeviceTopic(topic: string): { device: string; channel: 'telemetry' | 'status' } | null {
  const m = deviceExpression.exec(topic);
  return m ? { device: m[1] as string, channel: m[2] as 'telemetry' | 'status' } : null;
}
