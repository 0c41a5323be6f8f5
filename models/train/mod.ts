export {
  type About,
  draftOf,
  type FinishedRun,
  finishedRun,
  type Metrics,
  publish,
  type TrainingRecord,
  weightsOf,
} from './publish.ts';
export { type DrawnSet, HELD_OUT, QUIET_VALIDATION, RECIPE, VALIDATION } from './recipe.ts';
