import type { CityPlan } from '#simulators/city/mod.ts';

type Sizes = Pick<CityPlan['district'], 'cells' | 'edges' | 'sensors' | 'cameras'>;

/** A district of these sizes, all of whose brokers are at one port. */
export function planOf(sizes: Sizes, port = 1): CityPlan {
  return {
    version: 1,
    district: { seed: 1, ...sizes, division: '110101', originLon: 116.38, originLat: 39.88 },
    profile: 'demo',
    host: '127.0.0.1',
    ports: { api: port, centreBroker: port, rtsp: port, edgeBrokers: Array.from({ length: sizes.edges }, () => port) },
  };
}
