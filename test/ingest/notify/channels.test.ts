import { createHmac } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { createChannel, type Outgoing } from '#ingest/notify/channels/mod.ts';
import { ChannelConfig } from '#ingest/notify/config.ts';
import { checkConfig, ManualClock } from '#service/mod.ts';
import { startMailReceiver, startWebReceiver, textOfMail, type WebReceiver } from '../../support/receivers.ts';

const T = 1_800_000_000_123;
const MESSAGE: Outgoing = {
  id: 'm-1',
  title: '[格物] 紧急：边缘节点失联 2 项',
  body: 'edge-01 · 未收到心跳\nedge-02 · 未收到心跳',
  urgent: true,
  link: 'https://gewu.example/acknowledge#code=abc',
  linkLabel: '确认收到',
  topic: 'edge-silent',
  address: '',
};
const channel = (config: object) =>
  createChannel(
    checkConfig('test', ChannelConfig, { id: 'c', allowLocalAddress: true, ...config }) as ChannelConfig,
    new ManualClock(T),
  );

async function receiver(): Promise<WebReceiver> {
  const web = await startWebReceiver();
  onTestFinished(() => web.stop());
  return web;
}

test('a webhook gets JSON whose signature can be checked; the same message has the same id', async () => {
  const web = await receiver();
  const secret = 'a-secret-of-sixteen';
  await channel({ kind: 'webhook', url: `${web.url}/hook?a=1`, secret }).send(MESSAGE);
  const { path, headers, text, body } = web.received[0] as (typeof web.received)[number];
  expect(path).toBe('/hook?a=1');
  expect(body).toMatchObject({ id: 'm-1', title: MESSAGE.title, urgent: true, topic: 'edge-silent', link: MESSAGE.link, at: T });
  const hash = createHmac('sha256', secret).update(`${T}.${text}`).digest('hex');
  expect(headers['x-gewu-signature']).toBe(`t=${T},v1=${hash}`);
});

test('WeCom, DingTalk and Feishu get what their robots take, signed as they say', async () => {
  const web = await receiver();
  web.answer.body = '{"errcode":0,"code":0}';
  const baseUrl = web.url;
  await channel({ kind: 'wecom', key: 'k-1', baseUrl }).send({ ...MESSAGE, address: '13800138000' });
  await channel({ kind: 'dingtalk', accessToken: 'tok', secret: 'SEC1', baseUrl }).send({ ...MESSAGE, address: '13800138000' });
  await channel({ kind: 'feishu', hook: 'h-1', secret: 'fs1', baseUrl }).send(MESSAGE);
  const [wecom, dingtalk, feishu] = web.received;
  expect(wecom?.path).toBe('/cgi-bin/webhook/send?key=k-1');
  expect(wecom?.body).toMatchObject({ msgtype: 'text', text: { mentioned_mobile_list: ['13800138000'] } });
  expect(wecom?.body.text.content.split('\n')).toEqual([MESSAGE.title, ...MESSAGE.body.split('\n'), `确认收到: ${MESSAGE.link}`]);
  const query = new URL(dingtalk?.path ?? '', web.url).searchParams;
  expect([query.get('access_token'), query.get('timestamp')]).toEqual(['tok', String(T)]);
  expect(query.get('sign')).toBe(createHmac('sha256', 'SEC1').update(`${T}\nSEC1`).digest('base64'));
  expect(dingtalk?.body).toMatchObject({ msgtype: 'text', at: { atMobiles: ['13800138000'], isAtAll: false } });
  const seconds = String(Math.floor(T / 1000));
  expect(feishu?.path).toBe('/open-apis/bot/v2/hook/h-1');
  expect(feishu?.body).toMatchObject({
    msg_type: 'text',
    timestamp: seconds,
    sign: createHmac('sha256', `${seconds}\nfs1`).update('').digest('base64'),
  });
});

test('a text of 2,048 bytes at most goes to a robot, and no half of a character', async () => {
  const web = await receiver();
  web.answer.body = '{"errcode":0}';
  await channel({ kind: 'wecom', key: 'k-1', baseUrl: web.url }).send({ ...MESSAGE, body: '井盖缺失'.repeat(500) });
  const { content } = web.received[0]?.body.text ?? {};
  expect(Buffer.byteLength(content)).toBeLessThanOrEqual(2048);
  expect(content.endsWith('…')).toBe(true);
  expect(content).not.toContain('\uFFFD');
});

test('what comes back says whether to try again, and never names a key', async () => {
  const web = await receiver();
  const fault = async (config: object, answer: WebReceiver['answer']) => {
    Object.assign(web.answer, answer);
    return channel({ baseUrl: web.url, ...config })
      .send(MESSAGE)
      .catch((error: Error & { again: boolean }) => ({ again: error.again, text: error.message }));
  };
  const wecom = { kind: 'wecom', key: 'topsecret' };
  const hook = { kind: 'webhook', url: `${web.url}/topsecret`, baseUrl: undefined };
  expect(await fault(wecom, { status: 200, body: '{"errcode":45009}' })).toMatchObject({ again: true });
  expect(await fault(wecom, { status: 200, body: '{"errcode":93000}' })).toMatchObject({ again: false });
  expect(await fault(wecom, { status: 200, body: 'a proxy' })).toMatchObject({ again: false });
  expect(await fault(wecom, { status: 503, body: '' })).toMatchObject({ again: true });
  const { baseUrl: _, ...plainHook } = hook;
  const send = async (status: number) => {
    web.answer.status = status;
    return createChannel(
      checkConfig('test', ChannelConfig, { id: 'c', allowLocalAddress: true, ...plainHook }) as ChannelConfig,
      new ManualClock(T),
    )
      .send(MESSAGE)
      .catch((error: Error & { again: boolean }) => ({ again: error.again, text: error.message }));
  };
  // Sent elsewhere: not followed.
  expect(await send(302)).toMatchObject({ again: false });
  expect(await send(429)).toMatchObject({ again: true });
  await web.stop();
  const gone = (await send(200)) as { again: boolean; text: string };
  expect(gone.again).toBe(true);
  expect(gone.text).not.toContain('topsecret');
});

test('this machine and its link are not called unless the configuration says so', async () => {
  const web = await receiver();
  const { port } = new URL(web.url);
  for (const host of ['127.0.0.1', 'localhost', '[::1]', '169.254.169.254', '[::ffff:127.0.0.1]', '0.0.0.0'])
    await expect(
      channel({ kind: 'webhook', url: `http://${host}:${port}/`, allowLocalAddress: false }).send(MESSAGE),
    ).rejects.toThrow(/loopback or link-local/);
  await expect(
    channel({ kind: 'smtp', host: 'localhost', from: 'gewu@city.example', allowLocalAddress: false }).send({
      ...MESSAGE,
      address: 'a@b.example',
    }),
  ).rejects.toThrow(/loopback or link-local/);
  expect(web.received).toEqual([]);
});

test('a mail arrives at a real SMTP server, in UTF-8; a wrong password is said and holds no password', async () => {
  const mail = await startMailReceiver({ username: 'gewu', password: 'mail-password' });
  onTestFinished(() => mail.stop());
  const smtp = {
    kind: 'smtp',
    host: '127.0.0.1',
    port: mail.port,
    security: 'none',
    from: 'gewu@city.example',
    username: 'gewu',
  };
  await channel({ ...smtp, password: 'mail-password' }).send({ ...MESSAGE, address: 'ops@city.example' });
  expect(mail.mails[0]?.to).toEqual(['ops@city.example']);
  expect(textOfMail(mail.mails[0] as (typeof mail.mails)[number])).toContain('edge-02 · 未收到心跳');
  expect(mail.mails[0]?.raw).toMatch(/^message-id: <m-1@city\.example>\r$/im);
  const refused = channel({ ...smtp, password: 'wrong-password' }).send({ ...MESSAGE, address: 'ops@city.example' });
  await expect(refused).rejects.toThrow(expect.objectContaining({ again: true }));
  await expect(refused).rejects.not.toThrow(/wrong-password/);
  // A server that was told to encrypt and does not offer it gets nothing.
  await expect(
    channel({ ...smtp, security: 'starttls', password: 'mail-password' }).send({ ...MESSAGE, address: 'ops@city.example' }),
  ).rejects.toThrow();
  expect(mail.mails).toHaveLength(1);
});
