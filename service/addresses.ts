import { lookup as resolveName } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** This machine and its link: where nothing that a configuration or a person names may lead unless it is allowed expressly. */
const local = new BlockList();
local.addSubnet('127.0.0.0', 8, 'ipv4');
local.addSubnet('0.0.0.0', 8, 'ipv4');
local.addSubnet('169.254.0.0', 16, 'ipv4');
local.addSubnet('::1', 128, 'ipv6');
local.addSubnet('::', 128, 'ipv6');
local.addSubnet('fe80::', 10, 'ipv6');

/** Whether a numeric address is a loopback or link-local one, in any spelling. */
export function isLocalAddress(address: string): boolean {
  const kind = isIP(address);
  // A mapped address (::ffff:127.0.0.1) is found by the IPv4 subnets.
  return kind !== 0 && local.check(address, kind === 6 ? 'ipv6' : 'ipv4');
}

/** For a connection to a name: refuses addresses of this machine and its link. A numeric host is not looked up, so check it yourself. */
export const guardedLookup: LookupFunction = (host, options, callback) =>
  resolveName(host, options, (error, address, family) => {
    const all = Array.isArray(address) ? address.map((a) => a.address) : [address];
    const refused = error === null ? all.find((a) => isLocalAddress(a)) : undefined;
    if (refused === undefined) callback(error, address, family);
    else callback(new Error(`${refused} is a loopback or link-local address`), address, family);
  });
