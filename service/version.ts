import description from '../package.json' with { type: 'json' };

/** Of this Gewu. */
export const VERSION: string = description.version;
