import type { IncomingMessage } from 'node:http';

/** A refusal has so long to reach who is still sending. */
const LINGER_MS = 1_000;

/**
 * To be called before an answer that ends its connection. Who is still sending when he is refused must be able to read why:
 * closed at once, a connection with unread bytes is reset, and the reset may overtake the answer. So only our side ends, and for a
 * moment what comes is read and forgotten [RFC 9112 section 9.6].
 */
export function closeGently(request: IncomingMessage): void {
  const { socket } = request;
  // Node calls it when the answer is out.
  socket.destroySoon = () => {
    socket.end();
    request.resume();
    const late = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(late));
  };
}
