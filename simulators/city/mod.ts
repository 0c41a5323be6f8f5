export { buildDemoCity, buildDistrict, type CityOptions, type DemoCityOptions } from './city.ts';
export { writeCityDataset } from './dataset.ts';
export { type CityFile, cityFiles } from './files.ts';
export { CityPlan, cityOf, cityPlanMistakes, loadCityPlan, type Secrets, seededSecrets } from './plan.ts';
export { quietCameras, quietHour } from './quiet.ts';
export * from './script/mod.ts';
export { type CameraAccess, edgeOf, type SiteOptions, siteOf } from './site.ts';
export type { CameraIncident, City, CityCamera, CityCover, CityEdge, Community, SensorIncident } from './types.ts';
export { zonesOf } from './zones.ts';
