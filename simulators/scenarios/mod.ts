export { CAMERA_REACTIONS } from './camera_truths.ts';
export { isPictureFault, type StagedCameras, stageCameras } from './cameras.ts';
export { ownPart } from './own_part.ts';
export { loadScenario, Scenario, type ScenarioIncident, shippedScenario, type Thresholds } from './schema.ts';
export type { Expected, Staged, StagedFault, StagedIncident, StagingTerms } from './staged.ts';
export type { StagedCameraFault, StagedView } from './staged_view.ts';
export { stageScenario } from './staging.ts';
