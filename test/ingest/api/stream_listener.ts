import { expect } from 'vitest';
import { type TestCentre, tokenOf } from './fixture.ts';

/** A live stream, read with fetch as a browser would. */
export class StreamListener {
  text = '';
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly ended: Promise<void>;

  private constructor(reader: ReadableStreamDefaultReader<Uint8Array>) {
    this.#reader = reader;
    this.ended = this.#read();
  }

  static async open(centre: TestCentre, query = ''): Promise<StreamListener> {
    const headers = { authorization: `Bearer ${tokenOf('viewer')}` };
    const response = await centre.raw(`/api/v1/stream${query}`, { headers });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    return new StreamListener((response.body as ReadableStream<Uint8Array>).getReader());
  }

  messages(): { event: string; data: { id: string; what?: string; state?: string } }[] {
    return [...this.text.matchAll(/event: (\w+)\ndata: (.+)\n/g)].map(([, event, data]) => ({
      event: event as string,
      data: JSON.parse(data as string),
    }));
  }

  async close(): Promise<void> {
    await this.#reader.cancel();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for (;;) {
      const { value, done } = await this.#reader.read().catch(() => ({ value: undefined, done: true }));
      if (done) return;
      this.text += decoder.decode(value, { stream: true });
    }
  }
}
