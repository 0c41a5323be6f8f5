import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, type ServerProcess, startServer } from './process.ts';

/** A real InfluxDB 1.x on loopback, data under `dir/influxdb`. */
export async function startInfluxdb({ dir, port }: { dir: string; port?: number }): Promise<ServerProcess> {
  const home = join(dir, 'influxdb');
  await mkdir(home, { recursive: true });
  const http = port ?? (await freePort());
  const rpc = await freePort();
  const config = join(home, 'influxdb.conf');
  await writeFile(
    config,
    `reporting-disabled = true
bind-address = "127.0.0.1:${rpc}"
[meta]
  dir = "${home}/meta"
[data]
  dir = "${home}/data"
  wal-dir = "${home}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:${http}"
  log-enabled = false
[continuous_queries]
  log-enabled = false
[retention]
  check-interval = "10m"
`,
  );
  const url = `http://127.0.0.1:${http}`;
  return startServer({
    name: 'InfluxDB',
    command: 'influxd',
    args: ['run', '-config', config],
    logFile: join(home, 'influxdb.log'),
    url,
    port: http,
    ready: async () => (await fetch(`${url}/ping`, { signal: AbortSignal.timeout(1000) })).status === 204,
  });
}
