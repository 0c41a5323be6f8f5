import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { TypeBoxProvider } from '../http/validate.ts';
import type { RouteContext } from '../server.ts';
import { approvals } from './approvals.ts';
import { audit } from './audit.ts';
import { cameras } from './cameras.ts';
import { cases } from './cases.ts';
import { catalogue } from './catalogue.ts';
import { cells } from './cells.ts';
import { datasets } from './datasets.ts';
import { deadLetters } from './dead_letters.ts';
import { desired } from './desired.ts';
import { devices } from './devices.ts';
import { edgeKeys } from './edge_keys.ts';
import { edges } from './edges.ts';
import { events } from './events.ts';
import { evidence } from './evidence.ts';
import { grants } from './grants.ts';
import { live } from './live.ts';
import { map } from './map.ts';
import { models } from './models.ts';
import { notify } from './notify.ts';
import { personRecall } from './person_recall.ts';
import { policy } from './policy.ts';
import { probes } from './probes.ts';
import { readings } from './readings.ts';
import { releases } from './releases.ts';
import { session } from './session.ts';
import { situation } from './situation.ts';
import { stream } from './stream.ts';
import { tokens } from './tokens.ts';
import { transitions } from './transitions.ts';
import { trials } from './trials.ts';
import { upkeep } from './upkeep.ts';
import { users } from './users.ts';
import { verdicts } from './verdicts.ts';

/** Fastify with TypeBox's types. */
export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxProvider>;
/** Adds the routes of one resource. */
export type Route = (app: App, context: RouteContext) => void;

/** Every resource of the API. To add one: a file in this folder, a line here. */
export const ROUTES: readonly Route[] = [
  probes,
  edges,
  desired,
  models,
  datasets,
  trials,
  devices,
  cameras,
  readings,
  events,
  cases,
  transitions,
  evidence,
  edgeKeys,
  grants,
  releases,
  audit,
  cells,
  catalogue,
  policy,
  deadLetters,
  stream,
  live,
  tokens,
  session,
  users,
  verdicts,
  approvals,
  personRecall,
  situation,
  map,
  notify,
  upkeep,
];
