import { once } from 'node:events';
import { connect } from 'node:net';
import { CREDENTIALS, mountOf } from './credentials.ts';

/** Looks at cameras as edges do, and counts whole pictures: it knows RTSP over one connection, and decodes nothing. */
export interface ViewerTask {
  port: number;
  cameras: number;
}

const DOLLAR = 0x24;
/** Of an interleaved packet: `$`, channel, two bytes of length. Video is channel 0; the marker ends a picture [RFC 6184]. */
const HEAD_BYTES = 4;
const MARKER = 0x80;

const seen: number[] = [];

function watch(port: number, n: number): void {
  const socket = connect(port, '127.0.0.1');
  const uri = `rtsp://127.0.0.1:${port}${mountOf(n)}`;
  const authorization = `Basic ${Buffer.from(`${CREDENTIALS.username}:${CREDENTIALS.password}`).toString('base64')}`;
  let cseq = 0;
  const ask = (method: string, at: string, more = '') =>
    socket.write(`${method} ${at} RTSP/1.0\r\nCSeq: ${++cseq}\r\nAuthorization: ${authorization}\r\n${more}\r\n`);
  const answered = (head: string) => {
    if (!head.startsWith('RTSP/1.0 200')) throw new Error(`${uri}: ${head}`);
    const session = /^Session: ([^;\r]+)/im.exec(head)?.[1];
    if (cseq === 1) ask('SETUP', `${uri}/trackID=0`, 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n');
    else if (cseq === 2) ask('PLAY', uri, `Session: ${session}\r\n`);
  };
  seen[n] = 0;
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let bytes = lengthOf(rest); bytes > 0 && rest.length >= bytes; bytes = lengthOf(rest)) {
      if (rest[0] !== DOLLAR) answered(rest.toString('latin1', 0, bytes));
      else if (rest[1] === 0 && ((rest[HEAD_BYTES + 1] as number) & MARKER) !== 0) seen[n] = (seen[n] as number) + 1;
      rest = rest.subarray(bytes);
    }
  });
  ask('DESCRIBE', uri);
}

/** Of the packet or answer that begins there; 0 while too little has come to say it. */
function lengthOf(data: Buffer): number {
  if (data[0] === DOLLAR) return data.length < HEAD_BYTES ? 0 : HEAD_BYTES + data.readUInt16BE(2);
  const end = data.indexOf('\r\n\r\n');
  if (end < 0) return 0;
  return end + 4 + Number(/^Content-Length: (\d+)/im.exec(data.toString('latin1', 0, end))?.[1] ?? 0);
}

process.once('message', async ({ port, cameras }: ViewerTask) => {
  for (let n = 0; n < cameras; n++) watch(port, n);
  const looking = setInterval(() => {
    if (!seen.every((pictures) => pictures > 0)) return;
    clearInterval(looking);
    process.send?.({ playing: cameras });
  }, 100);
  for (;;) {
    // Each question: how many pictures since the last one.
    await once(process, 'message');
    process.send?.({ pictures: seen.reduce((sum, pictures) => sum + pictures, 0) });
    seen.fill(0);
  }
});
process.on('disconnect', () => process.exit());
