import type { ChannelAnswer } from '#grid/api/mod.ts';

/** What a person is told, in the person's language. */
export interface Outgoing {
  /** The same each time that it is tried: who gets it twice can tell. */
  id: string;
  title: string;
  /** Lines of plain text. */
  body: string;
  urgent: boolean;
  /** By which it is acknowledged, once; null where there is nothing to acknowledge. */
  link: string | null;
  linkLabel: string;
  topic: string;
  /** E-mail, mobile number, or ''. */
  address: string;
}

/** One way to tell people. `send` resolves when the other side has taken it, throws ChannelFault otherwise. */
export interface Channel extends ChannelAnswer {
  send(message: Outgoing): Promise<void>;
}

/** Why a message was not taken. The text names no key and no password: it is shown. */
export class ChannelFault extends Error {
  /** Whether the same may be taken later. */
  readonly again: boolean;

  constructor(message: string, { again, cause }: { again: boolean; cause?: unknown }) {
    super(message, { cause });
    this.name = 'ChannelFault';
    this.again = again;
  }
}

/** Title, body and link as one text, for those that know no parts. */
export function plainText({ title, body, link, linkLabel }: Outgoing): string {
  return [title, body, ...(link === null ? [] : [`${linkLabel}: ${link}`])].join('\n');
}

/** Not longer than so many bytes of UTF-8, and no half of a character. */
export function cutBytes(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  return `${new TextDecoder().decode(bytes.subarray(0, bytesMax - 3), { stream: true })}…`;
}
