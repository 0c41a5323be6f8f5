import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createCanvas } from '@napi-rs/canvas';
import type { Position } from '#grid/mod.ts';

/** Map tiles that show one mark, and a server of them. */

export const TILE_PX = 256;
const MARK_PX = 12;
export const MARK_COLOUR = '#ff00ff';
const GROUND = '#f4f1e8';

/** Where a point is on the plane of a zoom's tiles (Web Mercator), in tiles. */
export function tilePlace({ lon, lat }: Position, z: number): { x: number; y: number } {
  const n = 2 ** z;
  const y = (1 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI) / 2;
  return { x: ((lon + 180) / 360) * n, y: y * n };
}

/** PNG of a tile with a disc at a point that is given in the tile's own coordinates. */
export function tileWithMark({ z, x, y }: { z: number; x: number; y: number }, mark: Position): Buffer {
  const canvas = createCanvas(TILE_PX, TILE_PX);
  const context = canvas.getContext('2d');
  context.fillStyle = GROUND;
  context.fillRect(0, 0, TILE_PX, TILE_PX);
  const at = tilePlace(mark, z);
  context.fillStyle = MARK_COLOUR;
  context.beginPath();
  context.arc((at.x - x) * TILE_PX, (at.y - y) * TILE_PX, MARK_PX, 0, 2 * Math.PI);
  context.fill();
  return canvas.toBuffer('image/png');
}

export interface TileServer {
  /** With {z}, {x}, {y}. */
  url: string;
  asked: string[];
  stop(): Promise<void>;
}

/** Serves tiles with a mark; a page of another origin may read them, as tile servers allow. */
export async function startTileServer(mark: Position): Promise<TileServer> {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    const [, z, x, y] = (/^\/(\d+)\/(\d+)\/(\d+)\.png$/.exec(request.url ?? '') ?? []).map(Number);
    asked.push(request.url ?? '');
    response.setHeader('access-control-allow-origin', '*');
    if (z === undefined || x === undefined || y === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': 'image/png' }).end(tileWithMark({ z, x, y }, mark));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/{z}/{x}/{y}.png`,
    asked,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
