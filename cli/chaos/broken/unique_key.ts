import { DeviceTimes } from '#edge/sensors/mod.ts';

/**
 * Breaks the key that makes a sample unique: series and time. The time is no longer that of the sample but that of its arrival, so a
 * sample that a device sends again, because its PUBACK was lost with a process or a link, is stored again.
 * Loaded into the edge by `gewu chaos --broken unique-key`; the ledger must notice.
 */
const newest = new WeakMap<DeviceTimes, number>();
const { give } = DeviceTimes.prototype;
if (typeof give !== 'function') throw new TypeError('there is no DeviceTimes.give to break');
DeviceTimes.prototype.give = function broken(...args) {
  const ts = Math.max((newest.get(this) ?? 0) + 1, Date.now());
  newest.set(this, ts);
  return { ...give.apply(this, args), ts };
};
