import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../support/until.ts';
import { EDGE, type EdgeClient, TestCentre } from '../api/fixture.ts';

/** Dead letters of a whole centre: read, mended, replayed the way that they came, discarded. */

let centre: TestCentre;
let edge: EdgeClient;
beforeAll(async () => {
  centre = await TestCentre.start();
  edge = await centre.edge();
});
afterAll(async () => {
  await edge?.close();
  await centre?.stop();
});

const base64 = (record: object | string) =>
  Buffer.from(typeof record === 'string' ? record : JSON.stringify(record)).toString('base64');
const health = (id: string, more: object = {}) => ({
  ...{ ts: Date.now(), edge: EDGE, of: 'device', id, state: 'degraded', reason: 'stuck', since: Date.now(), ...more },
});

/** Something that is refused, and the letter that becomes of it. */
async function letterOf(record: object): Promise<{ id: string; reason: string; code: string; payload: string }> {
  const before = (await centre.get('/api/v1/dead-letters', 'ops')).body.items.length;
  await edge.send('health', [record]);
  const items = await until(async () => {
    const { body } = await centre.get('/api/v1/dead-letters', 'ops');
    return body.items.length > before ? body.items : null;
  });
  return items[0];
}
const replay = (id: string, body: object) => centre.post(`/api/v1/dead-letters/${id}/replay`, 'ops', body);

test('a letter is mended and replayed: what is stored is where it belongs, and the letter is gone', async () => {
  const letter = await letterOf(health('mh-9'));
  expect(letter.code).toBe('GEWU_DEVICE_UNKNOWN');
  const { body } = await replay(letter.id, { reason: 'a slip in the id', payload: base64(health('mh-1')) });
  expect(body).toEqual({ outcome: 'stored', letter: null });
  expect((await centre.get('/api/v1/devices/mh-1')).body).toMatchObject({ state: 'degraded', reason: 'stuck' });
  expect((await centre.get(`/api/v1/dead-letters/${letter.id}`, 'ops')).status).toBe(404);
  const { body: audit } = await centre.get('/api/v1/audit?action=dead-letter-replayed', 'administrator');
  expect(audit.items[0]).toMatchObject({
    ...{ actor: 'the-ops', subject: `dead-letter:${letter.id}`, purpose: 'a slip in the id' },
    detail: { hop: 'health', edge: EDGE, mended: true },
  });
});

test('what stays broken comes back with its new reason, and how often it was tried', async () => {
  const letter = await letterOf(health('mh-8'));
  const first = (await replay(letter.id, { reason: 'look', payload: base64(health('mh-1', { state: 'asleep' })) })).body;
  expect(first).toMatchObject({ outcome: 'broken', letter: { code: 'GEWU_HEALTH_INVALID', replays: 1 } });
  expect(first.letter.reason).not.toBe(letter.reason);
  const second = (await replay(first.letter.id, { reason: 'look', payload: base64('no json') })).body;
  expect(second.letter).toMatchObject({ replays: 2, edge: EDGE });
  // Another edge's record does not become this one's by being mended.
  const third = (await replay(second.letter.id, { reason: 'x', payload: base64(health('mh-1', { edge: 'edge-2' })) })).body;
  expect(third).toMatchObject({ outcome: 'broken', letter: { reason: 'names edge edge-2' } });
  const left = (await centre.get('/api/v1/dead-letters', 'ops')).body.items.map((l: { id: string }) => l.id);
  expect(left).toContain(third.letter.id);
  expect(left).not.toContain(letter.id);
});

test('what cannot be replayed is refused, what is of no use discarded, each with a word in the trail', async () => {
  const letter = await letterOf(health('mh-7'));
  for (const payload of [base64(`${JSON.stringify(health('mh-1'))}\n{}`), base64('')])
    expect((await replay(letter.id, { reason: 'x', payload })).body.error?.code).toBe('GEWU_REPLAY_REFUSED');
  // A device's payload goes to its edge, which nobody has heard of.
  const ofDevice = {
    ...{ ts: Date.now(), edge: EDGE, of: 'dead-letter', id: 'mh-1', code: 'GEWU_READING_TYPE', reason: 'tilt_deg' },
    ...{ topic: 'devices/mh-1/telemetry', payload: base64('{}') },
  };
  const device = await letterOf(ofDevice);
  expect(device).toMatchObject({ topic: 'devices/mh-1/telemetry', replays: 0 });
  expect((await replay(device.id, { reason: 'x' })).body.error).toMatchObject({
    code: 'GEWU_REPLAY_REFUSED',
    message: expect.stringContaining('edge-1 is unknown'),
  });
  expect((await centre.post(`/api/v1/dead-letters/${letter.id}/replay`, 'viewer', { reason: 'x' })).status).toBe(403);
  const ids = [letter.id, device.id];
  expect((await centre.post('/api/v1/dead-letters/discard', 'ops', { ids, reason: 'a test' })).body).toEqual({ discarded: 2 });
  const { body } = await centre.get('/api/v1/audit?action=dead-letter-discarded', 'administrator');
  expect(body.items.map((e: { purpose: string }) => e.purpose)).toEqual(['a test', 'a test']);
});
