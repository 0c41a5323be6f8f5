import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyRequest } from 'fastify';
import { type TProperties, Type } from 'typebox';
import { DesiredCandidate, DesiredModel, DesiredState, Id, SiteCamera } from '#grid/mod.ts';
import { DESIRED_BYTES_MAX } from '#grid/wire/mod.ts';
import { GewuError } from '#service/mod.ts';
import type { Change } from '../../desired/mod.ts';
import { ADMINISTRATORS, OPS, VIEWERS } from '../auth/mod.ts';
import {
  answers,
  DesiredAnswer,
  DesiredCameraAnswer,
  DesiredDiffAnswer,
  DesiredRevision,
  DesiredSummary,
  IdParams,
  Limit,
  listOf,
  nullable,
  RevisionAnswer,
  RevisionStateAnswer,
  strict,
} from '../schemas.ts';
import type { Route } from './mod.ts';

/** What every change brings along. */
const changeOf = <P extends TProperties>(properties: P) =>
  Type.Object(
    {
      revision: Type.Integer({ ...DesiredRevision, description: 'the newest, as you have seen it; another answers 409' }),
      reason: Type.String({ minLength: 1, maxLength: 500, description: 'kept with the revision' }),
      ...properties,
    },
    strict,
  );
const Check = Type.Object({ check: Type.Boolean({ default: false, description: 'only say what is wrong with it' }) }, strict);
const CameraParams = Type.Object({ id: Id(), camera: Id() }, strict);
const RevisionParams = Type.Object({ id: Id(), revision: Type.String({ pattern: '^[0-9]{1,9}$' }) }, strict);
const { zones, exclude, calibration, fps } = SiteCamera.properties;
const parts = {
  zones: Type.Optional(nullable(zones)),
  exclude: Type.Optional(nullable(exclude)),
  calibration: Type.Optional(nullable(calibration)),
  fps: Type.Optional(nullable(fps)),
};

interface ChangeRequest {
  account: FastifyRequest['account'];
  body: { revision: number; reason: string };
  query: { check: boolean };
}
const change = ({ account, body: { revision, reason }, query: { check } }: ChangeRequest): Change => ({
  by: account?.id ?? '',
  roles: account?.roles ?? [],
  revision,
  reason,
  check,
});
const tags = ['desired state'];
const bodyLimit = DESIRED_BYTES_MAX;
const CHECKED = 'Checked as `gewu validate` does; a 422 names every mistake by its key. With `?check=true` nothing is stored.';

/** What the centre wants of its edges. */
export const desired: Route = (app, context) => {
  addReading(app, context);
  addSetting(app, context);
  addDocument(app, context);
};

const addReading: Route = (app, { desired: service }) => {
  const config = { access: VIEWERS };
  app.get(
    '/api/v1/desired',
    {
      config,
      schema: {
        tags,
        summary: 'What each edge has made of what is wanted of it',
        response: answers(listOf(DesiredSummary)),
      },
    },
    async () => ({ items: await service.list() }),
  );
  app.get(
    '/api/v1/edges/:id/desired',
    {
      config,
      schema: { tags, summary: 'The newest desired state of an edge', params: IdParams, response: answers(DesiredAnswer) },
    },
    (request) => service.get(request.params.id),
  );
  app.get(
    '/api/v1/edges/:id/desired/cameras/:camera',
    {
      config,
      schema: {
        tags,
        summary: 'One camera, as an editor needs it',
        params: CameraParams,
        response: answers(DesiredCameraAnswer),
      },
    },
    ({ params }) => service.camera(params.id, params.camera),
  );
  app.get(
    '/api/v1/edges/:id/desired/revisions',
    {
      config,
      schema: {
        tags,
        summary: 'Revisions, newest first',
        params: IdParams,
        querystring: Type.Object({ before: Type.Optional(DesiredRevision), limit: Limit }, strict),
        response: answers(listOf(RevisionAnswer)),
      },
    },
    async ({ params, query }) => ({ items: await service.revisions(params.id, query) }),
  );
  app.get(
    '/api/v1/edges/:id/desired/revisions/:revision',
    {
      config,
      schema: {
        tags,
        summary: 'One revision with its content',
        params: RevisionParams,
        response: answers(RevisionStateAnswer),
      },
    },
    ({ params }) => service.revision(params.id, Number(params.revision)),
  );
  app.get(
    '/api/v1/edges/:id/desired/diff',
    {
      config,
      schema: {
        tags,
        summary: 'What changed from one revision to another',
        params: IdParams,
        querystring: Type.Object({ from: DesiredRevision, to: DesiredRevision }, strict),
        response: answers(DesiredDiffAnswer),
      },
    },
    ({ params, query }) => service.diff(params.id, query.from, query.to),
  );
};

const addSetting: Route = (app, { desired: service }) => {
  app.put(
    '/api/v1/edges/:id/desired',
    {
      bodyLimit,
      config: { access: ADMINISTRATORS },
      schema: {
        tags,
        summary: 'A new desired state, whole',
        description: CHECKED,
        params: IdParams,
        querystring: Check,
        body: changeOf({ state: DesiredState }),
        response: answers(DesiredAnswer),
      },
    },
    (request) => service.set(request.params.id, request.body.state, change(request)),
  );
  app.patch(
    '/api/v1/edges/:id/desired/cameras/:camera',
    {
      bodyLimit,
      config: { access: OPS },
      schema: {
        tags,
        summary: 'Zones, calibration and other parts of one camera',
        description: `A part that is not given stays; null gives it back to the file of the edge. ${CHECKED}`,
        params: CameraParams,
        querystring: Check,
        body: changeOf(parts),
        response: answers(DesiredCameraAnswer),
      },
    },
    (request) => {
      const { revision: _, reason: __, ...given } = request.body;
      return service.setCamera(request.params.id, request.params.camera, given, change(request));
    },
  );
  app.put(
    '/api/v1/edges/:id/desired/maintenance',
    {
      bodyLimit,
      config: { access: OPS },
      schema: {
        tags,
        summary: 'Maintenance windows and work permits, all of them',
        description: `null gives them back to the file of the edge. ${CHECKED}`,
        params: IdParams,
        querystring: Check,
        body: changeOf({ maintenance: nullable(DesiredState.properties.maintenance) }),
        response: answers(DesiredAnswer),
      },
    },
    (request) => service.setMaintenance(request.params.id, request.body.maintenance, change(request)),
  );
  app.put(
    '/api/v1/edges/:id/desired/calendars',
    {
      bodyLimit,
      config: { access: OPS },
      schema: {
        tags,
        summary: 'Holidays and market days that windows of zone rules name, all that the centre sets',
        description: `By name, instead of the calendar of that name in the file of the edge; null leaves those of the file alone. ${CHECKED}`,
        params: IdParams,
        querystring: Check,
        body: changeOf({ calendars: nullable(DesiredState.properties.calendars) }),
        response: answers(DesiredAnswer),
      },
    },
    (request) => service.setCalendars(request.params.id, request.body.calendars, change(request)),
  );
  app.put(
    '/api/v1/edges/:id/desired/model',
    {
      config: { access: ADMINISTRATORS },
      schema: {
        tags,
        summary: 'The model of an edge',
        description: `Of a package that was pushed; null gives it back to the file of the edge. ${CHECKED}`,
        params: IdParams,
        querystring: Check,
        body: changeOf({ model: nullable(DesiredModel) }),
        response: answers(DesiredAnswer),
      },
    },
    (request) => service.setModels(request.params.id, { model: request.body.model }, change(request)),
  );
  app.put(
    '/api/v1/edges/:id/desired/candidate',
    {
      config: { access: ADMINISTRATORS },
      schema: {
        tags,
        summary: 'The candidate that looks in shadow on an edge',
        description: `Of a package that was pushed; null ends it. What it finds is recorded and opens no case. ${CHECKED}`,
        params: IdParams,
        querystring: Check,
        body: changeOf({ candidate: nullable(DesiredCandidate) }),
        response: answers(DesiredAnswer),
      },
    },
    (request) => service.setModels(request.params.id, { candidate: request.body.candidate }, change(request)),
  );
  app.post(
    '/api/v1/edges/:id/desired/return',
    {
      config: { access: ADMINISTRATORS },
      schema: {
        tags,
        summary: 'Return to an earlier revision',
        description: `A new revision with the content of \`to\`; 0 is the file of the edge alone. ${CHECKED}`,
        params: IdParams,
        querystring: Check,
        body: changeOf({ to: DesiredRevision }),
        response: answers(DesiredAnswer),
      },
    },
    (request) => service.returnTo(request.params.id, request.body.to, change(request)),
  );
};

const pack = promisify(gzip);

const addDocument: Route = (app, { desired: service }) => {
  app.get(
    '/api/v1/edges/:id/desired/revisions/:revision/document',
    {
      config: { access: { edges: true } },
      schema: {
        tags,
        summary: 'The content of a revision, for the edge itself',
        description: 'The bytes that the notice on `down/config` named the SHA-256 of, gzip.',
        params: RevisionParams,
        response: answers(DesiredState),
      },
    },
    async ({ edge, params }, reply) => {
      if (edge !== params.id) throw new GewuError('GEWU_FORBIDDEN', `${edge} asks for the desired state of ${params.id}`);
      const { json, sha256 } = await service.document(params.id, Number(params.revision));
      const headers = { 'content-type': 'application/json; charset=utf-8', 'content-encoding': 'gzip', etag: `"${sha256}"` };
      return reply.headers(headers).send((await pack(json)) as never);
    },
  );
};
