import { Agent, request } from 'node:http';

/** The yardstick: prebuilt bodies into `/write`, `connections` at a time. Throws when InfluxDB does not take one. */
export async function writeRaw(url: string, bodies: readonly Buffer[], connections: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let next = 0;
  const writeAll = async () => {
    for (let body = bodies[next++]; body; body = bodies[next++]) await post(url, body, agent);
  };
  try {
    await Promise.all(Array.from({ length: connections }, writeAll));
  } finally {
    agent.destroy();
  }
}

function post(url: string, body: Buffer, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const req = request(url, { method: 'POST', agent, headers: { 'content-length': body.length } }, (res) => {
      res.resume();
      res.on('end', () => (res.statusCode === 204 ? resolve() : reject(new Error(`InfluxDB answered ${res.statusCode}`))));
    });
    req.on('error', reject);
    req.end(body);
  });
}
