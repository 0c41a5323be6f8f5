import type { Profile } from '#grid/mod.ts';
import { CAMERA_USER, type CityPlan, cityOf, type PlayedCity, seededSecrets } from '../city/mod.ts';
import type { Address } from './connection.ts';

/** One edge of an installation, as a run needs to know it. */
export interface TargetEdge {
  /** Where its devices connect. */
  broker: Address;
  /** Of its uplink; only a run that is the edges itself needs it. */
  password: string;
  /** Address of its `/metrics`; what it uses and how many events it sends is not known where there is none. */
  metricsUrl: string | null;
}

/** An installation that a run plays on: what it is in charge of, and where it listens. */
export interface LoadTarget {
  city: PlayedCity;
  /** In the order of the city's edges. */
  edges: readonly TargetEdge[];
  /** Where edges connect; null where only devices can be played. */
  centreBroker: Address | null;
  /** Of the edges: confirm and dwell times. */
  profile: Profile;
  /** Where the cameras are played that the edges look at; null where they are none of ours. */
  rtsp: { host: string; port: number; username: string; password: string } | null;
}

/** The installation of a city from a seed; its brokers and probes are at `host`, its cameras where the plan says. Throws RangeError as `buildDistrict`. */
export function targetOfPlan(plan: CityPlan, host = plan.host): LoadTarget {
  const { ports, profile, district } = plan;
  const city = cityOf(plan);
  const secrets = seededSecrets(district.seed);
  return {
    city,
    edges: city.edges.map(({ id }, i): TargetEdge => {
      const probe = ports.edgeProbes?.[i];
      return {
        broker: { host, port: ports.edgeBrokers[i] as number },
        password: secrets.password(id),
        metricsUrl: probe === undefined ? null : `http://${host}:${probe}/metrics`,
      };
    }),
    centreBroker: { host, port: ports.centreBroker },
    profile,
    rtsp: { host: plan.host, port: ports.rtsp, username: CAMERA_USER, password: secrets.password('rtsp') },
  };
}
