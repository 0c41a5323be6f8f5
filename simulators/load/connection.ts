import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  CONNACK,
  connectPacket,
  DISCONNECT,
  PacketReader,
  PINGREQ,
  PUBACK,
  PUBLISH,
  publishPacket,
  subscribePacket,
} from './packets.ts';

export interface Address {
  host: string;
  port: number;
  /** With it the connection is encrypted: whom it trusts beside the system's authorities, its own certificate, the broker's name. */
  tls?: { ca?: Buffer | undefined; cert?: Buffer | undefined; key?: Buffer | undefined; servername: string };
}

export interface Login {
  id: string;
  /** User name; that of the client where not given. */
  username?: string;
  /** As it is when the client connects. */
  password: string | (() => string);
}

export interface ConnectionHandlers {
  /** The broker let it in. */
  up(): void;
  /** It ended; `refused` when it never came up. */
  down(refused: boolean): void;
  acked(messageId: number): void;
  message?(topic: string, payload: Buffer): void;
}

const MESSAGE_IDS = 65_535;

/** One MQTT 3.1.1 client on a bare socket; thousands of them cost little. It does not come again by itself. */
export class LoadConnection {
  readonly #address: Address;
  readonly #login: Login;
  readonly #handlers: ConnectionHandlers;
  #packets = new PacketReader();
  #socket: Socket | null = null;
  #up = false;
  #lastId = 0;
  #waiting: Buffer[] = [];

  constructor(address: Address, login: Login, handlers: ConnectionHandlers) {
    this.#address = address;
    this.#login = login;
    this.#handlers = handlers;
  }

  get up(): boolean {
    return this.#up;
  }

  /** Under way or up. */
  get open(): boolean {
    return this.#socket !== null;
  }

  connect(): void {
    if (this.#socket !== null) return;
    const { id, username = id, password } = this.#login;
    const { host, port, tls } = this.#address;
    const socket = tls === undefined ? connect(port, host) : connectTls({ host, port, ...tls });
    socket.setNoDelay(true);
    this.#socket = socket;
    this.#packets = new PacketReader();
    socket.on('error', () => undefined);
    socket.on('close', () => this.#closed(socket));
    socket.on('data', (chunk) => this.#packets.push(chunk, (type, body) => this.#take(type, body)));
    const now = typeof password === 'string' ? password : password();
    socket.write(connectPacket({ id, username, password: now }));
  }

  /** Without a word, as a device does that loses power or the network. */
  cut(): void {
    this.#socket?.destroy();
  }

  /** Says good-bye. */
  close(): void {
    const socket = this.#socket;
    if (socket === null) return;
    if (this.#up) {
      this.flush();
      socket.end(DISCONNECT);
    } else socket.destroy();
  }

  /** QoS 1, with the next `flush`; the number that its PUBACK will name. Only while it is up. */
  publish(topic: string, payload: Buffer): number {
    this.#lastId = (this.#lastId % MESSAGE_IDS) + 1;
    this.#waiting.push(publishPacket(topic, this.#lastId, payload));
    return this.#lastId;
  }

  subscribe(filter: string): void {
    this.#lastId = (this.#lastId % MESSAGE_IDS) + 1;
    this.#socket?.write(subscribePacket(this.#lastId, filter));
  }

  /** Many packets in one write: a system call each would cost more than all the rest. */
  flush(): void {
    const [first] = this.#waiting;
    if (first === undefined || this.#socket === null) return;
    this.#socket.write(this.#waiting.length === 1 ? first : Buffer.concat(this.#waiting));
    this.#waiting = [];
  }

  ping(): void {
    if (this.#up) this.#socket?.write(PINGREQ);
  }

  #take(type: number, body: Buffer): void {
    if (type === PUBACK) this.#handlers.acked(body.readUInt16BE(0));
    else if (type === PUBLISH) this.#deliver(body);
    else if (type === CONNACK && body[1] === 0) {
      this.#up = true;
      this.#handlers.up();
    } else if (type === CONNACK) this.cut();
  }

  /** QoS 0 only: what an edge subscribes to comes so. */
  #deliver(body: Buffer): void {
    const length = body.readUInt16BE(0);
    this.#handlers.message?.(body.toString('utf8', 2, 2 + length), body.subarray(2 + length));
  }

  #closed(socket: Socket): void {
    if (socket !== this.#socket) return;
    const refused = !this.#up;
    this.#socket = null;
    this.#up = false;
    this.#waiting = [];
    this.#handlers.down(refused);
  }
}
