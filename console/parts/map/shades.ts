import type { Scheme } from '../../app/theme.tsx';

/** What a unit grid is coloured by; `none` is the ground. */
export type Shade =
  | ('critical' | 'high' | 'normal' | 'low')
  | ('offline' | 'degraded' | 'online' | 'unknown')
  | ('camera' | 'sensor' | 'partly' | 'unwatched')
  | 'none';

export const SHADES: Record<Scheme, Record<Shade, string>> = {
  light: {
    ...{ critical: '#d92d20', high: '#f38744', normal: '#5b9cf5', low: '#a9b8c0' },
    ...{ offline: '#e5675d', degraded: '#f5a35c', online: '#7fd0a4', unknown: '#c9d3d8' },
    ...{ camera: '#0f8a7e', sensor: '#7cc7bd', partly: '#f2cf7a', unwatched: '#dfe4e7' },
    none: '#ffffff',
  },
  dark: {
    ...{ critical: '#e5483c', high: '#c2601f', normal: '#2f63b8', low: '#4b5c64' },
    ...{ offline: '#b8362c', degraded: '#a85a17', online: '#1f7a4d', unknown: '#3d4c53' },
    ...{ camera: '#14a396', sensor: '#1c5f59', partly: '#8a6a1c', unwatched: '#2a3338' },
    none: '#18242a',
  },
};

/** Shades that are hatched as well: nobody is to take them for order. */
export const HATCHED: readonly Shade[] = ['unwatched'];
const HATCH_PX = 12;

/** Thin lines from corner to corner, to be laid over a shade. */
export function hatch(scheme: Scheme): ImageData {
  const image = new ImageData(HATCH_PX, HATCH_PX);
  const grey = scheme === 'dark' ? 150 : 110;
  for (let y = 0; y < HATCH_PX; y++)
    for (let x = 0; x < HATCH_PX; x++) {
      const at = 4 * (y * HATCH_PX + x);
      const onLine = (x + y) % (HATCH_PX / 2) === 0;
      image.data.set([grey, grey, grey, onLine ? 200 : 0], at);
    }
  return image;
}
