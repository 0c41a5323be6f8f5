import { rm } from 'node:fs/promises';
import { tempDir } from '../support/temp.ts';
import { City, coverId } from './fixture.ts';

/** Ten covers are off, one device is gone, one has spoken nonsense: a city to look at. */
export const OPEN = 10;
export const GONE = coverId(11);
export const HOSTILE = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>';

/** The city of most tests of pages, and what ends it. */
export async function startTroubledCity(): Promise<{ city: City; end: () => Promise<void> }> {
  const dir = await tempDir({ keep: true });
  const city = await City.start(dir);
  const off = Array.from({ length: OPEN }, (_, i) => coverId(i));
  for (const [tilt_deg, battery_v] of [
    [3, 3.6],
    [120, 3.58],
  ])
    await Promise.all(off.map((id) => city.publish(id, { tilt_deg, battery_v, rssi: -80 })));
  await city.publish(GONE, { tilt_deg: 1, battery_v: 3.05, rssi: -95 });
  await city.publish(GONE, { state: 'offline' }, 'status');
  await city.publish(coverId(12), HOSTILE);
  await city.reached<{ items: unknown[] }>('/api/v1/events', (a) => a.items.length >= OPEN, 'ten events');
  await city.reached<{ state: string }>(`/api/v1/devices/${GONE}`, (d) => d.state === 'offline', 'the device that is gone');
  await city.reached<{ items: unknown[] }>('/api/v1/dead-letters', (a) => a.items.length > 0, 'the dead letter');
  return {
    city,
    async end() {
      await city.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
