import { createMetrics, silentLog } from '#service/mod.ts';
import { createBroker } from '#service/mqtt/mod.ts';

/** The yardstick: the edge's own broker, whose PUBACK waits for nothing. */
const port = Number(process.argv[2]);
const broker = createBroker({
  listener: { host: '127.0.0.1', port },
  limits: {
    clientsMax: 10_000,
    connectRatePerSMax: 1000,
    packetBytesMax: 64 * 1024,
    messagesPerSPerClientMax: 1_000_000,
    connectTimeoutMs: 10_000,
    keepaliveSMax: 3600,
  },
  policy: { authenticate: () => true, publish: async () => undefined, subscribe: () => false },
  log: silentLog,
  metrics: createMetrics(),
});
await broker.start();
process.on('disconnect', () => process.exit());
