import { Type } from 'typebox';
import { Firmware, Id } from '#grid/mod.ts';
import type { Log } from '#service/mod.ts';
import type { DeviceStatus } from '../../devices/mod.ts';
import type { TimeSeriesStore } from '../../timeseries/mod.ts';
import { VIEWERS } from '../auth/mod.ts';
import {
  answers,
  CellCode,
  Cursor,
  DeviceAnswer,
  HealthStateSchema,
  HistoryAnswer,
  HistoryQuery,
  IdParams,
  Limit,
  pageOf,
  strict,
  Word,
} from '../schemas.ts';
import type { Route } from './mod.ts';
import { idsOfGroup, withUpkeep } from './things.ts';

const Query = Type.Object(
  {
    edge: Type.Optional(Id()),
    kind: Type.Optional(Word),
    cell: Type.Optional(CellCode),
    state: Type.Optional(HealthStateSchema),
    group: Type.Optional(Id()),
    firmware: Type.Optional(Firmware),
    q: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: 'a part of the id, or the beginning of the component code' }),
    ),
    limit: Limit,
    cursor: Cursor,
  },
  strict,
);

/** Sensors: the registry, their health, and when each one spoke last. */
export const devices: Route = (app, { devices: service, upkeep, timeseries, log }) => {
  const tags = ['devices'];
  const config = { access: VIEWERS };
  app.get(
    '/api/v1/devices',
    { config, schema: { tags, summary: 'Sensors, in order of id', querystring: Query, response: answers(pageOf(DeviceAnswer)) } },
    async (request) => {
      const { group, ...filter } = request.query;
      const { items, cursor } = await service.devices({ ...filter, ids: await idsOfGroup('device', group, upkeep) });
      return { items: await withUpkeep('device', await withReadings(items, timeseries, log), upkeep), cursor };
    },
  );
  app.get(
    '/api/v1/devices/:id',
    { config, schema: { tags, summary: 'One sensor', params: IdParams, response: answers(DeviceAnswer) } },
    async (request) => {
      const items = await withReadings([await service.device(request.params.id)], timeseries, log);
      return (await withUpkeep('device', items, upkeep))[0];
    },
  );
  app.get(
    '/api/v1/devices/:id/history',
    {
      config,
      schema: {
        tags,
        summary: 'Changes of its state, newest first',
        params: IdParams,
        querystring: HistoryQuery,
        response: answers(HistoryAnswer),
      },
    },
    async (request) => ({ items: await service.history('device', request.params.id, request.query) }),
  );
};

/** A time-series store that is away must not hide the devices: their last reading is then null. */
async function withReadings(items: readonly DeviceStatus[], timeseries: TimeSeriesStore, log: Log) {
  const latest = await timeseries
    .latest(items.map(({ id }) => id))
    .catch((error: Error) => log.debug({ err: error }, 'the last readings are not known'));
  return items.map((device) => {
    const last = latest?.get(device.id);
    const lastReadingAt = last?.ts ?? null;
    const seen = Math.max(device.lastSeenAt ?? 0, lastReadingAt ?? 0);
    const [batteryV, rssiDbm] = [numberIn(last?.fields.battery_v), numberIn(last?.fields.rssi)];
    return { ...device, lastSeenAt: seen === 0 ? null : seen, lastReadingAt, batteryV, rssiDbm };
  });
}

const numberIn = (value: number | boolean | undefined): number | null => (typeof value === 'number' ? value : null);
