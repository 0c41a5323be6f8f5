import { localPlane, type Position } from '#grid/mod.ts';

/** City metres: `uM` along the rows of cells (about east), `vM` across them (about north). */
export interface CityPoint {
  uM: number;
  vM: number;
}

/** Seven decimals are a centimetre; corners that two cells share stay the same number. */
const DECIMALS = 7;

export interface CityFrame {
  /** Direction of growing u, degrees clockwise from north. */
  readonly alongDeg: number;
  toPosition(point: CityPoint): Position;
}

/** City metres around a WGS-84 origin, turned clockwise by `turnDeg`. */
export function cityFrame(origin: Position, turnDeg: number): CityFrame {
  const plane = localPlane(origin);
  const turn = (turnDeg * Math.PI) / 180;
  const [sin, cos] = [Math.sin(turn), Math.cos(turn)];
  return {
    alongDeg: (90 + turnDeg + 360) % 360,
    toPosition({ uM, vM }) {
      const { lon, lat } = plane.toPosition({ xM: uM * cos + vM * sin, yM: vM * cos - uM * sin });
      return { lon: Number(lon.toFixed(DECIMALS)), lat: Number(lat.toFixed(DECIMALS)) };
    },
  };
}
