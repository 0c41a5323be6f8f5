import type { LayerSpecification, SourceSpecification } from 'maplibre-gl';
import { PMTiles, Protocol, TileType } from 'pmtiles';
import type { Scheme } from '../../app/theme.tsx';
import { maplibregl } from './style.ts';
import { vectorLayers } from './vector_layers.ts';

const SCHEME = 'pmtiles';
const protocol = new Protocol();
let known = false;

/** A file of tiles on the centre's disk, read piece by piece; null: pictures, which need no style of ours. Rejects when it cannot be read. */
export async function pmtilesSource(
  path: string,
  { id, scheme }: { id: string; scheme: Scheme },
): Promise<{ source: SourceSpecification; layers: LayerSpecification[] | null }> {
  if (!known) maplibregl.addProtocol(SCHEME, protocol.tile);
  known = true;
  const url = new URL(path, location.origin).href;
  const archive = protocol.get(url) ?? new PMTiles(url);
  protocol.add(archive);
  const { tileType } = await archive.getHeader();
  const at = `${SCHEME}://${url}`;
  return tileType === TileType.Mvt
    ? { source: { type: 'vector', url: at }, layers: vectorLayers(id, scheme) }
    : { source: { type: 'raster', url: at, tileSize: 256 }, layers: null };
}
