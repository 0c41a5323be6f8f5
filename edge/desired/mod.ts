export { CandidateKeeper, type CandidateUser } from './candidate_keeper.ts';
export { createFromCentre } from './create.ts';
export { DesiredKeeper, RefusedChange } from './keeper.ts';
export { openDesired, type StartingDesired } from './kept.ts';
export { ModelKeeper, type ModelUser } from './model_keeper.ts';
export { openStartingModel, type StartingModel } from './model_start.ts';
