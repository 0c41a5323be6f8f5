import type { Position, SiteComponent } from '#grid/mod.ts';

const SERIAL_MAX = 999_999;

/** Gives out component codes: serials ascend per division and class. Source: docs/domain/rules.md section 2. */
export class Registrar {
  readonly #division: string;
  readonly #serials = new Map<string, number>();

  /** `registered` already have their codes; new ones go on after them. */
  constructor(division: string, registered: readonly SiteComponent[] = []) {
    this.#division = division;
    for (const { code } of registered) {
      const [componentClass, serial] = [code.slice(6, 10), Number(code.slice(10))];
      this.#serials.set(componentClass, Math.max(serial, this.#serials.get(componentClass) ?? 0));
    }
  }

  /** Throws RangeError when a class has no serial left: a code never wraps. */
  register(componentClass: string, { lon, lat }: Position): SiteComponent {
    const serial = (this.#serials.get(componentClass) ?? 0) + 1;
    if (serial > SERIAL_MAX) throw new RangeError(`no serial left for class ${componentClass}`);
    this.#serials.set(componentClass, serial);
    return { code: this.#division + componentClass + String(serial).padStart(6, '0'), lon, lat };
  }
}
