export { isPictureFault, type StagedCameras, stageCameras } from './cameras.ts';
export { loadScenario, Scenario, type ScenarioIncident, shippedScenario, type Thresholds } from './schema.ts';
export type { StagedCameraFault, StagedView } from './staged_view.ts';
export {
  type Expected,
  type Staged,
  type StagedFault,
  type StagedIncident,
  type StagingTerms,
  stageScenario,
} from './staging.ts';
