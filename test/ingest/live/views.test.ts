import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { DialledStream, Looker, liveCommand, rawGrant } from '../../support/live.ts';
import { type EdgeClient, TestCentre, tokenOf } from '../api/fixture.ts';

// A busy machine answers late; a wrong result is told long before.
vi.setConfig({ testTimeout: 60_000, expect: { poll: { timeout: 15_000 } } });

let centre: TestCentre;
let edge: EdgeClient;
beforeEach(async () => {
  centre = await TestCentre.start({ live: { viewersPerCameraMax: 4, streamBytesPerSMax: 64 * 1024 * 1024 } });
  edge = await centre.edge();
});
afterEach(async () => {
  await edge.close();
  await centre.stop();
});

test('several viewers share one stream: it is asked for with the first, joined in its middle, and ended after the last', async () => {
  const first = await Looker.open(centre, 'viewer');
  const command = await liveCommand(edge);
  expect(command).toMatchObject({ camera: 'cam-1', view: 'masked', plays: [] });
  const stream = await DialledStream.dial(centre, command.stream);
  await expect.poll(() => stream.viewers).toEqual([{ account: 'the-viewer' }]);
  stream.start({
    zones: [
      {
        id: 'kerb',
        polygon: [
          [0, 0],
          [1, 0],
          [1, 1],
        ],
      },
    ],
  });
  const box = { track: 'cam-1-3', class: 'stall', score: 0.9, box: [0.1, 0.1, 0.2, 0.2] };
  stream.say({ type: 'boxes', at: 7, boxes: [box] });
  for (const picture of ['one', 'two']) stream.send(picture);
  await expect.poll(() => first.text()).toEqual(['one', 'two']);
  expect(first.of('start')[0].zones).toHaveLength(1);

  const second = await Looker.open(centre, 'supervision');
  await expect.poll(() => second.text()).toEqual(['two']);
  stream.say({ type: 'boxes', at: 8, boxes: [box] });
  await expect.poll(() => second.of('boxes').length).toBe(1);
  expect(stream.viewers).toEqual([{ account: 'the-viewer' }, { account: 'the-supervision' }]);
  expect((await centre.get('/api/v1/cameras/cam-1/live')).body).toMatchObject({ viewers: 2, raw: { mayAsk: false, grants: [] } });

  first.close();
  await expect.poll(() => stream.viewers).toHaveLength(1);
  expect(stream.closed).toBeNull();
  second.close();
  await expect.poll(() => stream.closed, { timeout: 5000 }).toBe(1000);
  expect(edge.commands).toHaveLength(1);
});

test('a stream in groups: who joins begins with its last key fragment, behind the init', async () => {
  const grant = await rawGrant(centre, 'ops');
  const first = await Looker.open(centre, 'ops', { view: 'raw', grant });
  const command = await liveCommand(edge);
  expect(command).toMatchObject({ view: 'raw', plays: ['h264'] });
  const stream = await DialledStream.dial(centre, command.stream);
  await expect.poll(() => stream.viewers[0]?.grant?.purpose).toBe('a car stands on the crossing');
  stream.start({ view: 'raw', form: 'fmp4', codec: 'avc1.64001f' });
  stream.send('init', { kind: 'init', key: false });
  for (const [content, key] of [
    ['k1', true],
    ['a', false],
    ['k2', true],
    ['b', false],
  ] as const)
    stream.send(content, { key });
  await expect.poll(() => first.text()).toEqual(['init', 'k1', 'a', 'k2', 'b']);
  const second = await Looker.open(centre, 'ops', { view: 'raw', grant });
  await expect.poll(() => second.text()).toEqual(['init', 'k2', 'b']);
  // The camera came back: everything from before is of no use.
  stream.start({ view: 'raw', form: 'fmp4', codec: 'avc1.64001f' });
  stream.send('init 2', { kind: 'init', key: false });
  stream.send('c', { key: false });
  stream.send('k3');
  await expect.poll(() => second.text()).toEqual(['init', 'k2', 'b', 'init 2', 'k3']);
});

test('a raw view takes a grant of its own account for this camera; both ends of it are in the audit trail', async () => {
  const grant = await rawGrant(centre, 'supervision');
  for (const [who, wanted] of [
    ['viewer', {}],
    ['ops', { grant }],
    ['supervision', { grant: 'another' }],
    ['supervision', {}],
  ] as const) {
    const refused = await Looker.open(centre, who, { view: 'raw', ...wanted });
    expect([who, await refused.ended(), refused.closed]).toEqual([who, 'GEWU_GRANT_INVALID', 1008]);
  }
  expect(edge.commands).toHaveLength(0);

  const looker = await Looker.open(centre, 'supervision', { view: 'raw', grant });
  await expect.poll(() => looker.of('state')[0]?.state).toBe('waiting');
  const trail = async () => (await centre.get('/api/v1/audit?subject=camera:cam-1', 'administrator')).body.items;
  const started = (await trail())[0];
  expect(started).toMatchObject({
    action: 'raw-view-started',
    actor: 'the-supervision',
    purpose: 'a car stands on the crossing',
  });
  expect((await centre.post(`/api/v1/grants/${grant}/end`, 'supervision')).status).toBe(200);
  expect(await looker.ended()).toBe('GEWU_LIVE_OVER');
  await expect
    .poll(async () => (await trail())[0])
    .toMatchObject({ action: 'raw-view-ended', detail: { why: 'GEWU_LIVE_OVER' } });
});

test('a view of a token that is revoked ends; one that nobody answers for is told so', { timeout: 40_000 }, async () => {
  const { body } = await centre.post('/api/v1/tokens', 'administrator', { name: 'short', roles: ['viewer'] });
  const looker = await Looker.open(centre, 'viewer', { token: body.token });
  await expect.poll(() => looker.of('state').length).toBe(1);
  await centre.call('administrator', 'DELETE', `/api/v1/tokens/${body.sha256}`);
  const patient = await Looker.open(centre, 'viewer');
  expect(await looker.ended()).toBe('GEWU_UNAUTHORIZED');
  // The command is said again while no edge comes.
  await expect.poll(() => edge.commands.length, { timeout: 5000 }).toBeGreaterThan(2);
  patient.close();
});

test('a slow viewer gets the newest, the others everything, and nobody fills the memory', async () => {
  const [slow, fast] = [await Looker.open(centre, 'viewer'), await Looker.open(centre, 'ops')];
  const stream = await DialledStream.dial(centre, (await liveCommand(edge)).stream);
  stream.start();
  await expect.poll(() => [slow.of('start').length, fast.of('start').length]).toEqual([1, 1]);
  slow.socket.pause();
  const dropped = async () => {
    const text = await (await centre.raw('/metrics', { headers: { authorization: `Bearer ${tokenOf('ops')}` } })).text();
    return Number(/gewu_live_dropped_total\{view="masked"\} (\d+)/.exec(text)?.[1] ?? 0);
  };
  const picture = Buffer.alloc(64 * 1024);
  let sent = 0;
  // What the kernel holds for a reader that stands still differs from machine to machine: until something is dropped.
  while ((await dropped()) === 0 && sent < 2000) {
    for (let n = 0; n < 10; n++) {
      picture.writeUInt32BE(sent++, 0);
      stream.send(picture);
    }
    await expect.poll(() => fast.packets.length, { timeout: 10_000 }).toBe(sent);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  // From now on nothing more waits for it.
  const before = await dropped();
  expect(before).toBeGreaterThan(0);
  for (let n = 0; n < 50; n++) {
    picture.writeUInt32BE(sent++, 0);
    stream.send(picture);
  }
  await expect.poll(() => fast.packets.length).toBe(sent);
  expect(await dropped()).toBe(before + 50);
  slow.socket.resume();
  await expect.poll(() => slow.packets.length + 1, { timeout: 10_000 }).toBeLessThan(sent);
  await expect
    .poll(async () => {
      picture.writeUInt32BE(sent++, 0);
      stream.send(picture);
      return Buffer.from(slow.packets.at(-1)?.bytes ?? []).readUInt32BE(0);
    })
    .toBeGreaterThan(sent - 3);
});

test('limits: viewers of a camera, and what a viewer may say', async () => {
  const lookers = await Promise.all(Array.from({ length: 4 }, () => Looker.open(centre, 'viewer')));
  for (const looker of lookers) await expect.poll(() => looker.of('state').length).toBe(1);
  const fifth = await Looker.open(centre, 'ops');
  expect([await fifth.ended(), fifth.closed]).toEqual(['GEWU_TOO_MANY_REQUESTS', 1013]);
  lookers[0]?.say({ type: 'open' });
  expect(await lookers[0]?.ended()).toBe('GEWU_REQUEST_INVALID');
  lookers[1]?.socket.send(Buffer.alloc(8 * 1024));
  await lookers[1]?.ended();
  expect(lookers[1]?.closed).toBe(1009);
});

test('an edge that sends more than it may is cut off', async () => {
  await edge.close();
  await centre.stop();
  centre = await TestCentre.start({ live: { streamBytesPerSMax: 64 * 1024 } });
  edge = await centre.edge();
  const looker = await Looker.open(centre, 'viewer');
  const stream = await DialledStream.dial(centre, (await liveCommand(edge)).stream);
  stream.start();
  stream.send(Buffer.alloc(256 * 1024));
  await expect.poll(() => looker.packets.length, { timeout: 10_000 }).toBe(1);
  stream.send(Buffer.alloc(1024 * 1024));
  expect(await looker.ended()).toBe('GEWU_LIVE_UNAVAILABLE');
  await expect.poll(() => stream.closed, { timeout: 10_000 }).not.toBeNull();
});

test('an edge dials for streams that were asked of it, with its password, and sends what was asked for', async () => {
  const looker = await Looker.open(centre, 'viewer');
  const { stream } = await liveCommand(edge);
  const other = { edge: 'edge-2', password: 'edge-2-password' };
  await expect(DialledStream.dial(centre, stream, other)).rejects.toThrow('404');
  await expect(DialledStream.dial(centre, stream, { password: 'wrong' })).rejects.toThrow('401');
  await expect(DialledStream.dial(centre, 'a'.repeat(22))).rejects.toThrow('404');
  await expect(DialledStream.dial(centre, 'short')).rejects.toThrow('400');
  const raw = await DialledStream.dial(centre, stream);
  raw.start({ view: 'raw' });
  expect(await looker.ended()).toBe('GEWU_LIVE_UNAVAILABLE');
});

test.each([
  ['no text', Buffer.from([1, 2, 3])],
  ['a person', JSON.stringify({ type: 'boxes', at: 1, boxes: [{ track: 't', class: 'person', score: 1, box: [0, 0, 1, 1] }] })],
  ['a packet before the start', Buffer.concat([Buffer.from([2, 1, 0, 0]), Buffer.alloc(8)])],
])('an edge that sends %s is cut off, and nobody sees it', async (_what, message) => {
  const looker = await Looker.open(centre, 'viewer');
  const stream = await DialledStream.dial(centre, (await liveCommand(edge)).stream);
  stream.socket.send(message);
  expect(await looker.ended()).toBe('GEWU_LIVE_UNAVAILABLE');
  expect([looker.packets, looker.of('boxes')]).toEqual([[], []]);
});

test('who comes in: not pages of other sites, not without a token, not with nonsense, not in silence', {
  timeout: 30_000,
}, async () => {
  await expect(Looker.connect(centre, { origin: 'https://elsewhere.example' })).rejects.toThrow('403');
  const own = await Looker.connect(centre, { origin: centre.centre.apiUrl });
  onTestFinished(() => own.close());
  const wrong: [object, string][] = [
    [{ token: undefined }, 'GEWU_UNAUTHORIZED'],
    [{ token: 'unknown' }, 'GEWU_UNAUTHORIZED'],
    [{ camera: 'cam-9' }, 'GEWU_NOT_FOUND'],
    [{ view: 'x-ray' }, 'GEWU_REQUEST_INVALID'],
    [{ more: 1 }, 'GEWU_REQUEST_INVALID'],
  ];
  for (const [wanted, code] of wrong) {
    const looker = await Looker.open(centre, 'viewer', wanted);
    expect([wanted, await looker.ended()]).toEqual([wanted, code]);
  }
  const header = await Looker.open(centre, 'viewer', { token: undefined }, { authorization: `Bearer ${tokenOf('viewer')}` });
  await expect.poll(() => header.of('state').length).toBe(1);
  header.close();
  const binary = await Looker.connect(centre);
  binary.socket.send(Buffer.from('{}'));
  expect(await binary.ended()).toBe('GEWU_REQUEST_INVALID');
  const large = await Looker.connect(centre);
  large.say({ type: 'open', pad: 'x'.repeat(8192) });
  await large.ended();
  expect(large.closed).toBe(1009);
  const crowd = await Promise.allSettled(Array.from({ length: 25 }, () => Looker.connect(centre)));
  expect(crowd.filter((c) => c.status === 'rejected').length).toBeGreaterThan(0);
  // Whoever says nothing is sent away, and makes room again.
  expect(await own.ended()).toBe('GEWU_REQUEST_INVALID');
  await expect
    .poll(
      () =>
        Looker.open(centre, 'viewer').then(
          (l) => l.close(),
          () => 'full',
        ),
      { timeout: 8000 },
    )
    .toBeUndefined();
  expect((await centre.raw('/api/v1/live')).status).toBe(400);
});
