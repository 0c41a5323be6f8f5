export { type CentreAccess, fetchDesired } from './fetch.ts';
export { DesiredKeeper, RefusedChange } from './keeper.ts';
export { openDesired, type StartingDesired } from './kept.ts';
