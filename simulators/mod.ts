export { writeDataset } from './cameras/dataset.ts';
export {
  calibrationPoints,
  createStreetRenderer,
  DETECTION_CLASSES,
  type DetectionClass,
  type IncidentClass,
} from './cameras/mod.ts';
export {
  buildDemoCity,
  CAMERA_USER,
  type City,
  type CityCamera,
  CityPlan,
  cityFiles,
  cityOf,
  cityPlanMistakes,
  loadCityPlan,
  type Secrets,
  type SiteOptions,
  seededSecrets,
  siteOf,
  writeCityDataset,
  writeQuietDataset,
} from './city/mod.ts';
export { loadSimulateConfig, SimulateConfig } from './config.ts';
export { DeviceFleet, type FleetStats } from './devices/mod.ts';
export * from './faults/mod.ts';
export * from './report/mod.ts';
export { createSimulation, type Simulation, type SimulationStats } from './run.ts';
