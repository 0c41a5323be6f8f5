import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { until } from '../../support/until.ts';
import { fakeUnit, PASSWORD, RawClient, startServer } from './rtsp_support.ts';

const LOCKED = { credentials: PASSWORD, fps: 5 };

async function serve(config: Parameters<typeof startServer>[0] = {}) {
  const server = await startServer(config);
  const mount = server.mount('/cam', LOCKED);
  return { server, mount, uri: server.url('/cam') };
}

describe('RTSP requests', () => {
  it('tells what it can do without a password', async () => {
    const { server, uri } = await serve();
    const client = await RawClient.open(server.port);
    const answer = await client.ask('OPTIONS', uri);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('public')).toBe('OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN');
    expect(answer.headers.get('cseq')).toBe('1');
  });

  it('describes the stream to who knows the password', async () => {
    const { server, mount, uri } = await serve();
    mount.push(fakeUnit(true, 1));
    const client = await RawClient.open(server.port);
    const refused = await client.ask('DESCRIBE', uri);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toMatch(/^Digest realm="[^"]+", nonce="[0-9a-f]{32}", algorithm=MD5$/);
    const answer = await client.askWithPassword('DESCRIBE', uri);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-base')).toBe(`${uri}/`);
    expect(answer.body).toContain('a=rtpmap:96 H264/90000');
    expect(answer.body).toContain('profile-level-id=42C01E;sprop-parameter-sets=Z0LAHtoCgL/l,aM4PyA==');
  });

  it('refuses a wrong password, and closes after some', async () => {
    const { server, mount, uri } = await serve();
    mount.push(fakeUnit(true, 1));
    const client = await RawClient.open(server.port);
    const wrong = { ...PASSWORD, password: 'guess' };
    for (let n = 0; n < 4; n++) expect((await client.askWithPassword('DESCRIBE', uri, {}, wrong)).status).toBe(401);
    await until(() => client.closed, { what: 'closed' });
  });

  it('refuses an answer that was made for another request or another connection', async () => {
    const { server, mount, uri } = await serve();
    mount.push(fakeUnit(true, 1));
    const [one, other] = [await RawClient.open(server.port), await RawClient.open(server.port)];
    await one.askWithPassword('DESCRIBE', uri);
    expect((await one.ask('SETUP', uri, { Authorization: one.answerTo('DESCRIBE', uri) })).status).toBe(401);
    expect((await other.ask('DESCRIBE', uri, { Authorization: one.answerTo('DESCRIBE', uri) })).status).toBe(401);
  });

  it('waits for the first picture to describe, within limits', async () => {
    const { server, mount, uri } = await serve({ limits: { describeMsMax: 60 } });
    const client = await RawClient.open(server.port);
    expect((await client.askWithPassword('DESCRIBE', uri)).status).toBe(503);
    const asked = client.askWithPassword('DESCRIBE', uri);
    mount.push(fakeUnit(true, 1));
    expect((await asked).status).toBe(200);
  });

  it.each([
    ['RTP/AVP;unicast;client_port=5000-5001', 200],
    ['RTP/AVP/UDP;unicast;client_port=5000-5001', 200],
    ['RTP/AVP;unicast;client_port=80-81', 461],
    ['RTP/AVP;unicast;client_port=5000-70000', 461],
    ['RTP/AVP;multicast;client_port=5000-5001', 461],
    ['RTP/AVP;unicast', 461],
    ['RTP/AVP/TCP;unicast;interleaved=255-256', 461],
    ['RTP/AVP/TCP;unicast;interleaved=4-7', 461],
    ['', 461],
    ['RTP/AVP;unicast;client_port=5000-5001,RTP/AVP/TCP;unicast;interleaved=2-3', 200],
    ['RTP/AVP/TCP', 200],
  ])('answers SETUP with transport "%s" by %i', async (transport, status) => {
    const { server, uri } = await serve();
    const client = await RawClient.open(server.port);
    const answer = await client.askWithPassword('SETUP', `${uri}/trackID=0`, { Transport: transport });
    expect(answer.status).toBe(status);
  });

  it('plays only a session that was set up, and ends it on TEARDOWN', async () => {
    const { server, mount, uri } = await serve();
    mount.push(fakeUnit(true, 1));
    const client = await RawClient.open(server.port);
    expect((await client.askWithPassword('PLAY', uri, { Session: 'none' })).status).toBe(454);
    const session = await client.play(uri);
    expect((await client.askWithPassword('GET_PARAMETER', uri, { Session: session })).status).toBe(200);
    expect((await client.askWithPassword('SETUP', uri, { Transport: 'RTP/AVP/TCP' })).status).toBe(455);
    expect((await client.askWithPassword('TEARDOWN', uri, { Session: session })).status).toBe(200);
    await until(() => client.closed, { what: 'closed' });
    expect(mount.clientCount).toBe(0);
  });

  it.each([
    ['DESCRIBE', '/other', {}, 404],
    ['PAUSE', '/cam', {}, 405],
    ['PLAY_ALL', '/cam', {}, 501],
    ['OPTIONS', '/cam', { Require: 'funky' }, 551],
    ['OPTIONS', '/cam', { CSeq: 'x' }, 400],
  ])('answers %s %s %j by %i and goes on', async (method, path, headers, status) => {
    const { server, uri } = await serve();
    const client = await RawClient.open(server.port);
    expect((await client.ask(method, server.url(path), headers as Record<string, string>)).status).toBe(status);
    expect((await client.ask('OPTIONS', uri)).status).toBe(200);
  });
});

describe('media', () => {
  it('begins with the last key picture and goes on without a gap', async () => {
    const { server, mount, uri } = await serve();
    for (const [n, key] of [true, false, true, false, false].entries()) mount.push(fakeUnit(key, n + 1));
    const client = await RawClient.open(server.port);
    await client.play(uri);
    mount.push(fakeUnit(false, 6));
    await until(() => client.marks.length === 4, { what: 'four pictures' });
    expect(client.marks).toEqual([3, 4, 5, 6]);
    const first = client.packets[0]?.sequence ?? 0;
    expect(client.packets.map((p) => (p.sequence - first + 65536) % 65536)).toEqual(client.packets.map((_, i) => i));
    expect(client.packets.filter((p) => p.marker)).toHaveLength(4);
    const info = client.responses.at(-1)?.headers.get('rtp-info') ?? '';
    expect(info).toContain(`seq=${first};rtptime=${client.packets[0]?.timestamp}`);
  });

  it('serves several clients of several mounts, each its own', async () => {
    const { server, mount, uri } = await serve();
    const second = server.mount('/cam2', LOCKED);
    const clients = await Promise.all([1, 2, 3].map(() => RawClient.open(server.port)));
    mount.push(fakeUnit(true, 1));
    second.push(fakeUnit(true, 101));
    await Promise.all(clients.map((c, i) => c.play(i < 2 ? uri : server.url('/cam2'))));
    mount.push(fakeUnit(false, 2));
    second.push(fakeUnit(false, 102));
    for (const [i, client] of clients.entries()) {
      await until(() => client.marks.length === 2, { what: 'two pictures' });
      expect(client.marks).toEqual(i < 2 ? [1, 2] : [101, 102]);
    }
  });

  it('lets a slow client miss pictures and come back, and its neighbour misses none', async () => {
    const { server, mount, uri } = await serve();
    mount.push(fakeUnit(true, 1));
    const [slow, quick] = [await RawClient.open(server.port), await RawClient.open(server.port)];
    await slow.play(uri);
    await quick.play(uri);
    await until(() => slow.pictures === 1, { what: 'first picture' });
    slow.socket.pause();
    for (let n = 2; n <= 50; n++) {
      mount.push(fakeUnit(n % 10 === 1, n, 400_000));
      await until(() => quick.pictures === n, { what: `picture ${n}` });
    }
    slow.socket.resume();
    await until(
      () => {
        mount.push(fakeUnit(true, 72));
        return slow.packets.at(-1)?.payload.at(-1) === 72;
      },
      { what: 'the slow client in step again' },
    );
    expect(slow.marks).not.toContain(50);
    expect(quick.marks.slice(0, 50)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  });

  it('disconnects a client that stays behind', async () => {
    const { server, mount, uri } = await serve({ limits: { behindMsMax: 100, backlogBytesMax: 100_000 } });
    mount.push(fakeUnit(true, 1));
    const client = await RawClient.open(server.port);
    await client.play(uri);
    client.socket.pause();
    await until(
      () => {
        mount.push(fakeUnit(true, 2, 400_000));
        return mount.clientCount === 0;
      },
      { what: 'disconnected' },
    );
  });
});

describe('bad input', () => {
  const oversized = `OPTIONS * RTSP/1.0\r\nX: ${'a'.repeat(9000)}`;
  it.each([
    ['no request line', 'hello\r\n\r\n', 400],
    ['HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['another version', 'OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n', 505],
    ['no header line', 'OPTIONS * RTSP/1.0\r\nnonsense\r\n\r\n', 400],
    ['a header without end', oversized, 413],
    ['too many headers', `OPTIONS * RTSP/1.0\r\n${'A: b\r\n'.repeat(65)}\r\n`, 413],
    ['a body beyond the limit', 'SET_PARAMETER * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 99999\r\n\r\n', 413],
    ['two lengths', 'OPTIONS * RTSP/1.0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    ['a negative length', 'OPTIONS * RTSP/1.0\r\nContent-Length: -1\r\n\r\n', 400],
    ['media before SETUP', '$\0\0\x04abcd', 400],
  ])('refuses %s, closes, and serves others', async (_name, bytes, status) => {
    const { server, uri } = await serve();
    const client = await RawClient.open(server.port);
    client.socket.write(bytes, 'latin1');
    await until(() => client.closed, { what: 'closed' });
    expect(client.responses.map((r) => r.status)).toEqual([status]);
    expect((await (await RawClient.open(server.port)).ask('OPTIONS', uri)).status).toBe(200);
  });

  it('lives through arbitrary bytes', async () => {
    const { server, uri } = await serve();
    const words = fc.constantFrom(
      'OPTIONS ',
      'DESCRIBE ',
      uri,
      ' RTSP/1.0',
      '\r\n',
      'CSeq: 1',
      'Authorization: Digest x=',
      '$',
      ': ',
      '\0',
      '"',
    );
    const noise = fc.array(fc.oneof(words, fc.string({ unit: 'binary', maxLength: 20 })), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(noise, async (parts) => {
        const client = await RawClient.open(server.port);
        client.socket.end(parts.join(''));
        await until(() => client.closed, { everyMs: 1, what: 'closed' });
      }),
      { numRuns: 150 },
    );
    expect((await (await RawClient.open(server.port)).ask('OPTIONS', uri)).status).toBe(200);
  });

  it('takes requests in pieces and several at once, up to a limit', async () => {
    const { server, uri } = await serve();
    const client = await RawClient.open(server.port);
    const request = `OPTIONS ${uri} RTSP/1.0\r\nCSeq: 7\r\n\r\n`;
    for (const byte of request) client.socket.write(byte);
    client.socket.write(`\r\n${request.repeat(3)}`);
    await until(() => client.responses.length === 4, { what: 'four responses' });
    client.socket.write(request.repeat(40));
    await until(() => client.closed, { what: 'closed' });
    expect(client.responses.length).toBe(4);
  });

  it('takes so many connections and clients, and no more', async () => {
    const { server, mount, uri } = await serve({ connectionsMax: 4, clientsPerMountMax: 2 });
    mount.push(fakeUnit(true, 1));
    const clients = await Promise.all([1, 2, 3, 4].map(() => RawClient.open(server.port)));
    const [a, b, c] = clients as [RawClient, RawClient, RawClient, RawClient];
    await a.play(uri);
    await b.play(uri);
    expect((await c.ask('DESCRIBE', uri)).status).toBe(453);
    await until(() => c.closed, { what: 'third closed' });
    const [d, e] = [await RawClient.open(server.port), await RawClient.open(server.port)];
    await until(() => e.closed, { what: 'fifth closed' });
    expect((await d.ask('OPTIONS', '*')).status).toBe(200);
    a.socket.destroy();
    await until(() => mount.clientCount === 1, { what: 'place free' });
    await d.play(uri);
  });

  it('closes who says nothing', async () => {
    const { server } = await serve({ limits: { silenceMsMax: 60 } });
    const client = await RawClient.open(server.port);
    await until(() => client.closed, { what: 'closed' });
  });

  it('names the port that is taken', async () => {
    const { server } = await serve();
    await expect(startServer({ port: server.port })).rejects.toMatchObject({ code: 'GEWU_PORT_IN_USE' });
  });
});

describe('faults on command', () => {
  async function watched() {
    const scene = await serve();
    scene.mount.push(fakeUnit(true, 1));
    const client = await RawClient.open(scene.server.port);
    await client.play(scene.uri);
    await until(() => client.marks.length === 1, { what: 'first picture' });
    return { ...scene, client };
  }

  it('freeze keeps the connection and sends no media until restored', async () => {
    const { server, mount, uri, client } = await watched();
    server.setFault('/cam', { kind: 'freeze' });
    mount.push(fakeUnit(true, 2));
    const late = await RawClient.open(server.port);
    await late.play(uri);
    expect((await client.askWithPassword('GET_PARAMETER', uri)).status).toBe(200);
    expect(client.marks).toEqual([1]);
    expect(late.marks).toEqual([]);
    server.setFault('/cam', null);
    mount.push(fakeUnit(false, 3));
    mount.push(fakeUnit(true, 4));
    mount.push(fakeUnit(false, 5));
    await until(() => client.marks.length === 3 && late.marks.length === 2, { what: 'media again' });
    expect(client.marks).toEqual([1, 4, 5]);
    expect(late.marks).toEqual([4, 5]);
  });

  it('cut closes and refuses, and leaves other mounts alone', async () => {
    const { server, mount, uri, client } = await watched();
    const other = server.mount('/other', LOCKED);
    other.push(fakeUnit(true, 9));
    server.setFault('/cam', { kind: 'cut' });
    await until(() => client.closed, { what: 'closed' });
    await expect((await RawClient.open(server.port)).ask('OPTIONS', uri)).rejects.toThrow('closed instead');
    const neighbour = await RawClient.open(server.port);
    await neighbour.play(server.url('/other'));
    server.setFault('/cam', null);
    const again = await RawClient.open(server.port);
    await again.play(uri);
    mount.push(fakeUnit(true, 2));
    await until(() => again.marks.includes(2), { what: 'media again' });
  });

  it('corrupt damages payloads and nothing else', async () => {
    const { server, mount, client } = await watched();
    server.setFault('/cam', { kind: 'corrupt', probability: 1 });
    mount.push(fakeUnit(true, 2));
    await until(() => client.pictures === 2, { what: 'damaged picture' });
    const damaged = client.packets.slice(-3);
    const foreign = damaged.map((p) => p.payload.subarray(2).filter((byte) => byte !== 2).length);
    expect(Math.min(...foreign)).toBeGreaterThan(0);
    expect(Math.max(...foreign)).toBeLessThanOrEqual(8);
    expect(damaged.map((p) => p.sequence)).toEqual([0, 1, 2].map((i) => ((damaged[0]?.sequence ?? 0) + i) % 65536));
    server.setFault('/cam', null);
    client.packets.length = 0;
    mount.push(fakeUnit(true, 3));
    await until(() => client.marks.length === 1, { what: 'whole picture' });
    expect(
      client.packets
        .slice(-1)[0]
        ?.payload.subarray(2)
        .every((byte) => byte === 3),
    ).toBe(true);
  });

  it('halfOpen neither answers nor sends nor closes until restored', async () => {
    const { server, mount, uri, client } = await watched();
    server.setFault('/cam', { kind: 'halfOpen' });
    const late = await RawClient.open(server.port);
    client.send('OPTIONS', uri);
    late.send('OPTIONS', uri);
    mount.push(fakeUnit(true, 2));
    const before = client.responses.length;
    // The other mount answers after both: had they been answered, it would be here by now.
    const control = await RawClient.open(server.port);
    await control.ask('OPTIONS', '*');
    await control.ask('OPTIONS', '*');
    expect([client.responses.length, late.responses.length, client.marks.length]).toEqual([before, 0, 1]);
    expect([client.closed, late.closed]).toEqual([false, false]);
    server.setFault('/cam', null);
    await until(() => client.responses.length === before + 1 && late.responses.length === 1, { what: 'answers' });
    mount.push(fakeUnit(true, 3));
    await until(() => client.marks.includes(3), { what: 'media again' });
    expect(client.marks).toEqual([1, 3]);
  });

  it('halfOpen holds a bounded number of connections', async () => {
    const { server, mount, uri } = await serve({ clientsPerMountMax: 3 });
    server.setFault('/cam', { kind: 'halfOpen' });
    const clients: RawClient[] = [];
    for (let n = 0; n < 5; n++) {
      const client = await RawClient.open(server.port);
      client.send('OPTIONS', uri);
      clients.push(client);
      await until(() => mount.clientCount === Math.min(n + 1, 3) && (n < 3 || clients[n - 3]?.closed), { what: `client ${n}` });
    }
    expect(clients.map((c) => c.closed)).toEqual([true, true, false, false, false]);
  });
});
