import { createHash, timingSafeEqual } from 'node:crypto';
import type { SiteGateway } from '#grid/mod.ts';
import type { DeviceRegistry } from './registry.ts';

interface Account {
  secret: Buffer;
  /** The ids that it may write under. */
  devices: ReadonlySet<string>;
}

/** Who may speak to this edge: devices for themselves, gateways for a list of devices. */
export class Accounts {
  readonly #accounts = new Map<string, Account>();
  readonly #gateways: readonly string[];
  /** Compared against when the name is unknown, so that the time does not tell. */
  readonly #nobody = digest('');

  constructor(registry: DeviceRegistry, gateways: readonly SiteGateway[]) {
    for (const { device } of registry.values())
      this.#accounts.set(device.id, { secret: digest(device.secret), devices: new Set([device.id]) });
    for (const g of gateways) this.#accounts.set(g.id, { secret: digest(g.secret), devices: new Set(g.devices) });
    this.#gateways = gateways.map((g) => g.id);
  }

  /** Whether this is the secret of that account. */
  match(name: string, secret: string | Buffer): boolean {
    const account = this.#accounts.get(name);
    return timingSafeEqual(digest(secret), account?.secret ?? this.#nobody) && account !== undefined;
  }

  /** The gateway that has this secret; null when none has, or more than one. */
  gatewayOf(secret: string): string | null {
    const given = digest(secret);
    const found = this.#gateways.filter((id) => timingSafeEqual(given, (this.#accounts.get(id) as Account).secret));
    return found.length === 1 ? (found[0] as string) : null;
  }

  isGateway(name: string): boolean {
    return this.#gateways.includes(name);
  }

  speaksFor(name: string, device: string): boolean {
    return this.#accounts.get(name)?.devices.has(device) ?? false;
  }
}

function digest(secret: string | Buffer): Buffer {
  return createHash('sha256').update(secret).digest();
}
