import { connect } from 'mqtt';
import { telemetryTopic } from '#grid/wire/mod.ts';
import type { ErrorCode } from '#service/mod.ts';

/** A payload that no edge can use, and what must come of it: a dead letter with this code, or the end of the connection. */
export interface MalformedPayload {
  name: string;
  payload: Buffer;
  expect: ErrorCode | 'disconnect';
}

const SAMPLES_TOO_MANY = 501;
const NESTED = 200;
const DEEP = 20_000;

/** Bad input of every sort that the edge promises to survive. For a manhole cover; `packetBytesMax` is the broker's limit. */
export function malformedPayloads(packetBytesMax = 64 * 1024): MalformedPayload[] {
  const bad = (name: string, payload: string | Buffer, expect: MalformedPayload['expect']): MalformedPayload => ({
    name,
    payload: Buffer.from(payload),
    expect,
  });
  return [
    bad('nothing', '', 'GEWU_PAYLOAD_NOT_JSON'),
    bad('no JSON', 'tilt=2.5', 'GEWU_PAYLOAD_NOT_JSON'),
    bad('cut off', '{"tilt_deg":2.', 'GEWU_PAYLOAD_NOT_JSON'),
    bad('NaN', '{"tilt_deg":NaN}', 'GEWU_PAYLOAD_NOT_JSON'),
    bad('no UTF-8', Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]), 'GEWU_PAYLOAD_NOT_JSON'),
    bad('zero bytes', Buffer.alloc(512), 'GEWU_PAYLOAD_NOT_JSON'),
    bad('infinite', '{"tilt_deg":1e999}', 'GEWU_READING_NOT_FINITE'),
    bad('null', 'null', 'GEWU_READING_TYPE'),
    bad('a text', '"2.5"', 'GEWU_READING_TYPE'),
    bad('text for number', '{"tilt_deg":"2.5"}', 'GEWU_READING_TYPE'),
    bad('number for boolean', '{"opened":1}', 'GEWU_READING_TYPE'),
    bad('a time in words', '{"tilt_deg":1,"ts":"2026-01-01"}', 'GEWU_READING_TYPE'),
    bad('a negative seq', '{"tilt_deg":1,"seq":-1}', 'GEWU_READING_TYPE'),
    bad('an empty object', '{}', 'GEWU_PAYLOAD_EMPTY'),
    bad('an empty array', '[]', 'GEWU_PAYLOAD_EMPTY'),
    bad('an unknown field', '{"tilt":2.5}', 'GEWU_READING_FIELD_UNKNOWN'),
    bad('a prototype', '{"__proto__":1}', 'GEWU_READING_FIELD_UNKNOWN'),
    bad('one bad in an array', '[{"tilt_deg":1},{"tilt":1}]', 'GEWU_READING_FIELD_UNKNOWN'),
    bad('nested', `{"tilt_deg":${'{"a":'.repeat(NESTED)}1${'}'.repeat(NESTED)}}`, 'GEWU_PAYLOAD_TOO_DEEP'),
    bad('arrays in arrays', `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`, 'GEWU_READING_TYPE'),
    bad('too many samples', JSON.stringify(Array(SAMPLES_TOO_MANY).fill({ tilt_deg: 1 })), 'GEWU_PAYLOAD_TOO_LARGE'),
    bad('oversized', JSON.stringify({ tilt_deg: 1, note: 'x'.repeat(packetBytesMax) }), 'disconnect'),
  ];
}

export interface Account {
  url: string;
  /** User name and client id. */
  id: string;
  secret: string;
}

const ANSWER_MS_MAX = 10_000;

/**
 * Publishes one payload as it is on a connection of its own, under the sender's id or another device's. Resolves to what
 * the sender saw: its PUBACK, or the end of the connection. Rejects when it was not let in, or heard nothing for 10 s.
 */
export function babble({ url, id, secret }: Account, payload: Buffer, device = id): Promise<'acked' | 'disconnected'> {
  const client = connect(url, {
    protocolVersion: 4,
    clean: true,
    clientId: id,
    username: id,
    password: secret,
    reconnectPeriod: 0,
  });
  return new Promise<'acked' | 'disconnected'>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no answer to ${id} within ${ANSWER_MS_MAX} ms`)), ANSWER_MS_MAX);
    late.unref();
    let connected = false;
    client.once('error', (error) => (connected ? resolve('disconnected') : reject(error)));
    client.once('close', () => (connected ? resolve('disconnected') : reject(new Error(`${id} was not let in`))));
    client.once('connect', () => {
      connected = true;
      client.publish(telemetryTopic(device), payload, { qos: 1 }, (error) => resolve(error ? 'disconnected' : 'acked'));
    });
  }).finally(() => client.end(true));
}
