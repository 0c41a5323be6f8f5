import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { ByteSink } from './sender.ts';

const INTERLEAVED_BYTES = 4;

/** Where a client wants its datagrams. */
export interface UdpPeer {
  host: string;
  rtpPort: number;
  rtcpPort: number;
}

/**
 * Sends a stream as datagrams (RFC 2326 section 12.39): what is packed for one connection, each packet behind its interleaved
 * header, is taken apart again; channel 0 is RTP, channel 1 RTCP. What the system has no room for is lost, as on a street.
 */
export class UdpSink implements ByteSink {
  readonly #peer: UdpPeer;
  readonly #sockets: readonly [Socket, Socket];
  readonly close: (reason: string) => void;

  private constructor(peer: UdpPeer, sockets: readonly [Socket, Socket], close: (reason: string) => void) {
    this.#peer = peer;
    this.#sockets = sockets;
    this.close = close;
  }

  static async open(peer: UdpPeer, close: (reason: string) => void): Promise<UdpSink> {
    const open = async (): Promise<Socket> => {
      const socket = createSocket(peer.host.includes(':') ? 'udp6' : 'udp4');
      // Receiver reports are not looked at; a port that nobody listens on is an error of the next send.
      socket.on('error', () => undefined);
      socket.bind(0);
      await once(socket, 'listening');
      return socket;
    };
    return new UdpSink(peer, [await open(), await open()], close);
  }

  /** Ours, of RTP and RTCP. */
  get ports(): [number, number] {
    return [this.#sockets[0].address().port, this.#sockets[1].address().port];
  }

  write(bytes: Buffer): void {
    const { host, rtpPort, rtcpPort } = this.#peer;
    for (let at = 0; at + INTERLEAVED_BYTES <= bytes.length; ) {
      const [channel, length] = [bytes.readUInt8(at + 1), bytes.readUInt16BE(at + 2)];
      const from = at + INTERLEAVED_BYTES;
      this.#sockets[channel === 0 ? 0 : 1].send(bytes.subarray(from, from + length), channel === 0 ? rtpPort : rtcpPort, host);
      at = from + length;
    }
  }

  backlogBytes(): number {
    return this.#sockets[0].getSendQueueSize();
  }

  end(): void {
    for (const socket of this.#sockets) socket.close();
  }
}
