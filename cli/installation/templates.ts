/** Commented configuration files. What is not set here has the default that the comment names. */

export interface IngestTemplate {
  apiPort: number;
  brokerPort: number;
  /** Connections of edges; the default where not given. */
  clientsMax?: number | undefined;
  edges: readonly { id: string; password: string; siteFile: string }[];
  tokens: readonly { name: string; token: string; roles: readonly string[] }[];
  administrator: { name: string; passwordHash: string };
  influxdbUrl?: string | undefined;
  postgresUrl?: string | undefined;
  dataDir: string;
}

const quote = (text: string) => JSON.stringify(text);

export function ingestYaml(t: IngestTemplate): string {
  const edges = t.edges
    .map((e) => `  - id: ${e.id}\n    password: ${quote(e.password)}\n    siteFile: ${quote(e.siteFile)}`)
    .join('\n');
  const tokens = t.tokens
    .map((k) => `    - name: ${k.name}\n      token: ${quote(k.token)}\n      roles: [${k.roles.join(', ')}]`)
    .join('\n');
  const timeseries = t.influxdbUrl
    ? `timeseries:\n  store: influxdb\n  url: ${quote(t.influxdbUrl)}\n  database: gewu`
    : `# timeseries:              # embedded SQLite in dataDir unless said otherwise\n#   store: influxdb        # a real InfluxDB 1.x\n#   url: http://127.0.0.1:8086\n#   database: gewu`;
  const database = t.postgresUrl
    ? `database:\n  store: postgres\n  url: ${quote(t.postgresUrl)}`
    : `# database:                # embedded SQLite in dataDir unless said otherwise\n#   store: postgres\n#   url: postgres://gewu:password@127.0.0.1:5432/gewu`;
  return `# A centre: gewu ingest --config ingest.yaml
version: 1

centre:
  id: centre
  dataDir: ${quote(t.dataDir)}          # embedded stores and evidence; relative to this file
  timeZone: Asia/Shanghai

api:
  host: 127.0.0.1            # 0.0.0.0 to be reached from other machines; then set tls
  port: ${t.apiPort}
  # tls: { cert: api.crt, key: api.key }
  # An account never holds supervision and command at once: who files does not dispatch.
  tokens:
${tokens}
  # People sign in to the console. This one is made when there is no user yet; later the database decides.
  sessions:
    firstAdministrator: { name: ${t.administrator.name}, passwordHash: ${quote(t.administrator.passwordHash)} }
    # idleMinutes: 720
    # hoursMax: 168

broker:
  embedded:                  # or external: { url: mqtt://broker:1883, username: ..., password: ... }
    host: 127.0.0.1
    port: ${t.brokerPort}
    # tls: { cert: broker.crt, key: broker.key }
    ${t.clientsMax === undefined ? '# limits: { clientsMax: 2000, connectRatePerSMax: 500 }' : `limits: { clientsMax: ${t.clientsMax} }`}

# Edges that may connect, and what each is in charge of.
edges:
${edges}

${timeseries}

${database}

# What lies under the unit grids on the console's maps, nothing unless said so: docs/configuration.md.
# map:
#   pmtiles: { file: city.pmtiles, name: 街道, attribution: © OpenStreetMap contributors }
#   tiles:
#     - { id: tiles, name: 影像, url: "https://tiles.example/{z}/{x}/{y}.png", coordinates: gcj02, attribution: "..." }

# By which ways people are told of silent edges, faults, urgent cases: docs/notify.md. Who is told when is set in the console.
# notify:
#   publicUrl: https://gewu.example    # of the console, for the link that acknowledges a message
#   channels:
#     - { id: hook, kind: webhook, url: "https://ops.example/gewu", secret: "..." }
#     - { id: mail, kind: smtp, host: mail.example, port: 587, username: gewu, password: "...", from: gewu@city.example }
#     - { id: wecom, kind: wecom, key: "..." }
#     - { id: ding, kind: dingtalk, accessToken: "...", secret: "..." }
#     - { id: feishu, kind: feishu, hook: "...", secret: "..." }
`;
}

export interface EdgeTemplate {
  id: string;
  password: string;
  brokerPort: number;
  centreBrokerPort: number;
  apiPort: number;
  profile: string;
  siteFile: string;
  dataDir: string;
  probesPort?: number | undefined;
}

export function edgeYaml(t: EdgeTemplate): string {
  return `# An edge node: gewu edge --config ${t.id}.yaml
version: 1

edge:
  id: ${t.id}
  dataDir: ${quote(t.dataDir)}          # outbox, evidence; relative to this file
  profile: ${t.profile}              # demo: confirm and dwell times of 5 s; default: those of the catalogue

# For the devices of this site; each has its own credentials in the site file.
broker:
  host: 127.0.0.1            # the address of the devices' network
  port: ${t.brokerPort}
  # tls: { cert: broker.crt, key: broker.key }
  # limits: { clientsMax: 10000, messagesPerSPerClientMax: 200, packetBytesMax: 65536 }

# To the centre.
uplink:
  url: mqtt://127.0.0.1:${t.centreBrokerPort}
  password: ${quote(t.password)}
  # tls: { ca: ca.crt }
  apiUrl: http://127.0.0.1:${t.apiPort}
  # apiTls: { ca: ca.crt }

outbox:
  quotaBytes: 2147483648     # at the quota the oldest readings go first, events never
  ageHoursMax: 168

evidence:
  quotaBytes: 4294967296     # masked pictures and clips; what waits for the centre goes last
  originalsQuotaBytes: 8589934592 # unmasked, encrypted, opened by grants of the centre only
  retention: { '*': { days: 30 } } # by class too: '2:0501': { days: 7, share: 0.3 }
  # keysDir: /run/gewu-keys  # better not on the same disk: docs/evidence.md

vision:
  workers: 1                 # inference threads
  # model: models/mine       # folder with manifest.json; the shipped model knows only drawn scenes
  # trustedKeys: []          # release keys of models that the centre may push: gewu models keygen

# /healthz, /readyz, /metrics
${t.probesPort === undefined ? '# probes: { port: 9464 }' : `probes: { port: ${t.probesPort} }`}

siteFile: ${quote(t.siteFile)}
`;
}

export interface SimulateTemplate {
  seed: number;
  profile: string;
  edges: readonly { id: string; brokerPort: number }[];
  rtspPort: number;
  rtspUsername: string;
  rtspPassword: string;
  durationS: number;
  city: Readonly<Record<string, string | number>>;
  /** Only a part of it is played. */
  only?: 'cameras' | undefined;
}

export function simulateYaml(t: SimulateTemplate): string {
  const brokers = t.edges.map((e) => `  ${e.id}: mqtt://127.0.0.1:${e.brokerPort}`).join('\n');
  const city = Object.entries(t.city).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  const only = t.only === undefined ? '' : `only: ${t.only}                # sensors come from \`gewu simulate run\`\n`;
  return `# Simulated sensors and cameras: gewu simulate --config simulate.yaml
version: 1
seed: ${t.seed}                     # the same seed gives the same city and the same incidents
profile: ${t.profile}                # as in the edges' files; the truth needs it
city: { ${city.join(', ')} }
${only}durationS: ${t.durationS}            # length of the script
intervalS: 1                 # each sensor reports so often
brokers:
${brokers}
rtsp:
  host: 127.0.0.1
  port: ${t.rtspPort}
  username: ${quote(t.rtspUsername)}
  password: ${quote(t.rtspPassword)}
`;
}
