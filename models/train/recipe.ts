/** A set of drawn pictures; all of it follows from the drawer and the seed. */
export interface DrawnSet {
  name: string;
  /** Streets of every kind at random; or what the cameras of small cities see while their scripts play, seeds in a row. */
  drawer: 'street' | 'city';
  seed: number;
  images: number;
}

/** Never trained on: thresholds are chosen on the first, figures come from the second. */
export const VALIDATION: DrawnSet = { name: 'val', drawer: 'street', seed: 8001, images: 400 };
export const HELD_OUT: DrawnSet = { name: 'test', drawer: 'street', seed: 7001, images: 400 };

/** From nothing to a model like the shipped one, within three hours on two cores. The demo's city (7) is in none of them. */
export const RECIPE = {
  sets: [
    { name: 'train-1', drawer: 'street', seed: 1, images: 3600 },
    { name: 'train-2', drawer: 'street', seed: 2, images: 3600 },
    { name: 'city-1', drawer: 'city', seed: 1000, images: 1600 },
    { name: 'city-2', drawer: 'city', seed: 2000, images: 1600 },
  ],
  steps: 12_000,
  minutesMax: 180,
} as const satisfies { sets: readonly DrawnSet[]; steps: number; minutesMax: number };
