import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { GewuError, isLocalAddress } from '#service/mod.ts';

const SCHEMES = ['rtsp:', 'rtsps:', 'http:', 'https:'];

export interface CameraAddress {
  id: string;
  url: string;
  username?: string | undefined;
  password?: string | undefined;
  allowLocalAddress: boolean;
}

/**
 * The address that the stream is opened with: scheme checked, every address of the host checked, user and password
 * percent-encoded into it. For RTSP a name is replaced by the address that was looked at: what it resolves to a moment later
 * is of no matter. Never log it. Throws GEWU_CAMERA_URL (refused) or GEWU_CAMERA_OFFLINE (the name is unknown).
 */
export async function streamUrl(
  camera: CameraAddress,
  resolve: (host: string) => Promise<string[]> = addressesOf,
): Promise<string> {
  const url = parse(camera);
  const addresses = await resolved(url.hostname.replace(/^\[|\]$/g, ''), camera.id, resolve);
  const refused = camera.allowLocalAddress ? undefined : addresses.find(isLocalAddress);
  if (refused !== undefined)
    throw new GewuError('GEWU_CAMERA_URL', `camera ${camera.id}: ${refused} is a loopback or link-local address`);
  if (url.protocol.startsWith('rtsp')) pin(url, addresses);
  if (camera.username !== undefined) url.username = encodeURIComponent(camera.username);
  if (camera.password !== undefined) url.password = encodeURIComponent(camera.password);
  return url.href;
}

function pin(url: URL, addresses: readonly string[]): void {
  const address = addresses.find((a) => isIP(a) === 4) ?? addresses[0];
  if (address !== undefined) url.hostname = isIP(address) === 6 ? `[${address}]` : address;
}

function parse(camera: CameraAddress): URL {
  const refuse = (why: string) => new GewuError('GEWU_CAMERA_URL', `camera ${camera.id}: ${why}`);
  if (!URL.canParse(camera.url)) throw refuse('the address is not a URL');
  const url = new URL(camera.url);
  if (!SCHEMES.includes(url.protocol)) throw refuse(`scheme ${url.protocol} is not rtsp, rtsps, http or https`);
  if (url.hostname === '') throw refuse('the address has no host');
  if (url.username !== '' || url.password !== '') throw refuse('user and password belong into their own keys');
  return url;
}

async function resolved(host: string, id: string, resolve: (host: string) => Promise<string[]>): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  try {
    return await resolve(host);
  } catch (error) {
    throw new GewuError('GEWU_CAMERA_OFFLINE', `camera ${id}: ${(error as Error).message}`, { cause: error });
  }
}

async function addressesOf(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map((entry) => entry.address);
}
