import { noEvents, type RunReport } from '#simulators/report/mod.ts';

/** A run of which everything went well, for what follows from reports alone. */
export const REPORT: RunReport = {
  version: 1,
  scenario: 'quiet-day',
  title: { zh: '平静', en: 'Quiet' },
  as: 'devices',
  seed: 1,
  target: 'http://127.0.0.1:20080',
  parts: ['1/1'],
  startedAt: 1_700_000_000_000,
  endedAt: 1_700_000_020_000,
  durationS: 20,
  interrupted: false,
  city: { cells: 10, edges: 1, devices: 100, cameras: 0 },
  readings: { sent: 100, acked: 100, stored: 100, lost: 0, duplicated: 0, unexpected: 0, late: 1, dropped: 0, inDoubt: 0 },
  events: {
    ...noEvents(''),
    by: 'edges',
    sent: 4,
    acked: 4,
    stored: 4,
    lost: 0,
    duplicated: 0,
    unexpected: 0,
    late: 0,
    notes: [],
  },
  content: { compared: 40, altered: 0, examples: [] },
  connections: { clients: 100, connects: 100, refused: 0, resent: 0 },
  latencies: { ack: [[10, 90]], lag: [[5, 100]], case: [[100, 2]], cameraCase: [] },
  curve: [{ atS: 1, due: 50, acked: 45, p99Ms: 10, pending: 5, connected: 100, lagMsMax: 5 }],
  trouble: [],
  moreTrouble: 0,
  incidents: [
    { id: 'a', source: 'sensor', class: '1:0134:circuit_dark', outcome: 'detected', delayMs: 100 },
    { id: 'b', source: 'sensor', class: '2:0404', outcome: 'missed', delayMs: null },
    { id: 'c', source: 'sensor', class: '2:0404', outcome: 'possible', delayMs: null },
  ],
  deadLetters: [],
  usage: {
    centre: [
      { atS: 0, cpuS: 10, residentMb: 200, eventLoopP99Ms: 10 },
      { atS: 1, cpuS: 10.5, residentMb: 210, eventLoopP99Ms: 11 },
    ],
    'edge-01': [
      { atS: 0, cpuS: 4, residentMb: 300, eventLoopP99Ms: 10 },
      { atS: 1, cpuS: 4.2, residentMb: 310, eventLoopP99Ms: 11 },
    ],
  },
  limits: {
    lateMs: 5000,
    lagP99MsMax: 250,
    thresholds: { lostMax: 0, ackP99MsMax: 50, detectedShareMin: 0.5 },
  },
};
