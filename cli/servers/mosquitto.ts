import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort, type ServerProcess, startServer } from './process.ts';

/** A real Mosquitto on loopback, anonymous unless `extra` says otherwise; `extra` is appended to its configuration. */
export async function startMosquitto({
  dir,
  port,
  extra = 'allow_anonymous true',
}: {
  dir: string;
  port?: number;
  extra?: string;
}): Promise<ServerProcess> {
  const home = join(dir, 'mosquitto');
  await mkdir(home, { recursive: true });
  const listen = port ?? (await freePort());
  const config = join(home, 'mosquitto.conf');
  // Root would drop to the user `mosquitto`, who cannot read our folder.
  const user = process.getuid?.() === 0 ? 'user root\n' : '';
  await writeFile(config, `${user}listener ${listen} 127.0.0.1\npersistence true\npersistence_location ${home}/\n${extra}\n`);
  return startServer({
    name: 'Mosquitto',
    command: '/usr/sbin/mosquitto',
    args: ['-c', config],
    logFile: join(home, 'mosquitto.log'),
    url: `mqtt://127.0.0.1:${listen}`,
    port: listen,
    ready: () => accepts(listen),
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
