/** A set of drawn pictures; all of it follows from the drawer and the seed. */
export interface DrawnSet {
  name: string;
  /**
   * `street`: streets of every kind at random. `city`: what the cameras of small cities see while their scripts play, cities from the
   * seed on. `quiet`: their streets while there is nothing to report, by every hour of the day.
   */
  drawer: 'street' | 'city' | 'quiet';
  seed: number;
  images: number;
}

/** Never trained on: thresholds are chosen on the first, figures come from the second. */
export const VALIDATION: DrawnSet = { name: 'val', drawer: 'street', seed: 8001, images: 400 };
export const HELD_OUT: DrawnSet = { name: 'test', drawer: 'street', seed: 7001, images: 400 };

/** Camera-hours on which alarm thresholds are chosen; the cities from 6001 on are in no set, nor are those from 5001 on that figures come from. */
export const QUIET_VALIDATION = { hours: 24, everyS: 10 } as const;

/**
 * From nothing to a model like the shipped one, within 2.2 hours on two cores (README.md has the sum). The demo's city (7), those of
 * the benches (501 on) and of the staged street (4001) are in none of the sets.
 */
export const RECIPE = {
  sets: [
    { name: 'train-1', drawer: 'street', seed: 1, images: 2400 },
    { name: 'train-2', drawer: 'street', seed: 2, images: 2400 },
    { name: 'train-3', drawer: 'street', seed: 3, images: 2400 },
    { name: 'city-1', drawer: 'city', seed: 1000, images: 1600 },
    { name: 'city-2', drawer: 'city', seed: 2000, images: 1600 },
    { name: 'quiet-1', drawer: 'quiet', seed: 3000, images: 800 },
    { name: 'quiet-2', drawer: 'quiet', seed: 3500, images: 800 },
  ],
  steps: 10_400,
  minutesMax: 180,
} as const satisfies { sets: readonly DrawnSet[]; steps: number; minutesMax: number };
