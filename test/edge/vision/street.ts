import type { SiteCamera, ZoneRule } from '#grid/mod.ts';
import { calibrationPoints, createStreetRenderer, toWgs84 } from '#simulators/cameras/mod.ts';
import type { CameraPose, Street } from '#simulators/cameras/scene.ts';

/** A street that runs north, and a camera 6 m above its western pavement that looks along it. */
export const ORIGIN = { lon: 116.397, lat: 39.916 };
export const STREET: Street = {
  seed: 7,
  originLon: ORIGIN.lon,
  originLat: ORIGIN.lat,
  roadHeadingDeg: 0,
  roadWidthM: 9,
  pavementWidthM: 4,
  roadOffsetM: 0,
};
const [lon, lat] = toWgs84(-2, -10, ORIGIN.lon, ORIGIN.lat);
export const POSE: CameraPose = { lon, lat, heightM: 6, headingDeg: 0, pitchDeg: 28, hfovDeg: 70, widthPx: 640, heightPx: 360 };

export const RULE: ZoneRule = {
  id: 'stall',
  detects: 'stall',
  raises: { event: '0501' },
  severity: 'normal',
  dwellS: 5,
  clearS: 10,
  confidenceMin: 0.3,
  stationaryM: 1,
};

export function siteCamera(changes: Partial<SiteCamera> = {}): SiteCamera {
  return {
    id: 'cam-01',
    url: 'rtsp://127.0.0.1/cam-01',
    lon,
    lat,
    allowLocalAddress: true,
    simulated: true,
    transport: 'tcp',
    fps: 2,
    calibration: { points: calibrationPoints(POSE, createStreetRenderer(STREET, POSE)) },
    zones: [
      {
        id: 'all',
        polygon: [
          [0, 0],
          [1, 0],
          [1, 1],
          [0, 1],
        ],
        rules: [RULE],
      },
    ],
    ...changes,
  };
}
