import type { Site, SiteCamera } from '#grid/mod.ts';
import { calibrationPoints, createStreetRenderer, toWgs84 } from '#simulators/cameras/mod.ts';
import type { CameraPose, Street } from '#simulators/cameras/scene.ts';

export const USERNAME = 'viewer';
export const PASSWORD = 'bench-viewer';
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

export const pathOf = (n: number): string => `/cam-${n}`;

export interface VisionLoad {
  /** Of the cameras' RTSP server. */
  port: number;
  cameras: number;
  fps: number;
}

/** All cameras look at the same street, in which a stall stands where it may not. */
export function visionSite({ port, cameras, fps }: VisionLoad): Site {
  const [w, e, s, n] = [ORIGIN.lon - 0.002, ORIGIN.lon + 0.002, ORIGIN.lat - 0.002, ORIGIN.lat + 0.002];
  const calibration = { points: calibrationPoints(POSE, createStreetRenderer(STREET, POSE)) };
  return {
    timeZone: 'Asia/Shanghai',
    cells: [
      {
        code: '110101001001017',
        polygon: [
          [w, s],
          [e, s],
          [e, n],
          [w, n],
        ],
      },
    ],
    components: [],
    devices: [],
    gateways: [],
    cameras: Array.from(
      { length: cameras },
      (_, i): SiteCamera => ({
        id: `cam-${i}`,
        url: `rtsp://127.0.0.1:${port}${pathOf(i)}`,
        username: USERNAME,
        password: PASSWORD,
        lon,
        lat,
        allowLocalAddress: true,
        simulated: true,
        transport: 'tcp',
        fps,
        calibration,
        zones: [
          {
            id: 'all',
            polygon: [
              [0, 0],
              [1, 0],
              [1, 1],
              [0, 1],
            ],
            rules: [
              {
                id: 'stall',
                detects: 'stall',
                raises: { event: '0501' },
                severity: 'normal',
                dwellS: 5,
                clearS: 10,
                confidenceMin: 0.5,
                stationaryM: 1,
              },
            ],
          },
        ],
      }),
    ),
  };
}
