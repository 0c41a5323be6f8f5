import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Transporter } from 'nodemailer';
import { isLocalAddress } from '#service/mod.ts';
import type { SmtpConfig } from '../config.ts';
import { type Channel, ChannelFault, plainText } from './channel.ts';

const ANSWER_MS_MAX = 10_000;
/** SMTP answers from here on are final; below they ask to come again [RFC 5321 section 4.2.1]. */
const PERMANENT_FROM = 500;

/** E-mail by a server of the configuration. One connection a message: alerts are few, and a kept one is dead when it is needed. */
export function createSmtp(config: SmtpConfig): Channel {
  const { id, host, port, from } = config;
  return {
    id,
    kind: 'smtp',
    host: `${host}:${port}`,
    async send(message) {
      if (!message.address.includes('@')) throw new ChannelFault('this person has no e-mail address', { again: false });
      const transport = await connect(config);
      try {
        await transport.sendMail({
          from,
          to: message.address,
          subject: message.title,
          text: plainText(message),
          // A server that has taken it and was not heard gets it again under the same name.
          messageId: `<${message.id}@${from.slice(from.indexOf('@') + 1)}>`,
          headers: { 'auto-submitted': 'auto-generated', ...(message.urgent ? { 'x-priority': '1' } : {}) },
          disableFileAccess: true,
          disableUrlAccess: true,
        });
      } catch (cause) {
        const { responseCode, message: text, code } = cause as Error & { responseCode?: number; code?: string };
        // A log-in that fails is a matter of the configuration: who mends it within the hours must not have lost the message.
        const final = (responseCode ?? 0) >= PERMANENT_FROM && code !== 'EAUTH';
        throw new ChannelFault(`${host}: ${text.slice(0, 200)}`, { again: !final, cause });
      } finally {
        transport.close();
      }
    },
  };
}

/** The address that was looked at is the one that is connected to; the certificate must be of the name. */
async function connect({ host, port, security, username, password, allowLocalAddress }: SmtpConfig): Promise<Transporter> {
  const address = isIP(host) === 0 ? await resolved(host) : host;
  if (!allowLocalAddress && isLocalAddress(address))
    throw new ChannelFault(`${host} is a loopback or link-local address`, { again: false });
  // Loaded with the first message: a centre that tells nobody does not pay for it.
  const { createTransport } = await import('nodemailer');
  return createTransport({
    host: address,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(isIP(host) === 0 ? { tls: { servername: host } } : {}),
    ...(username === undefined ? {} : { auth: { user: username, pass: password ?? '' } }),
    connectionTimeout: ANSWER_MS_MAX,
    greetingTimeout: ANSWER_MS_MAX,
    socketTimeout: ANSWER_MS_MAX,
  });
}

async function resolved(host: string): Promise<string> {
  try {
    return (await lookup(host)).address;
  } catch (cause) {
    throw new ChannelFault(`${host}: ${(cause as Error).message}`, { again: true, cause });
  }
}
