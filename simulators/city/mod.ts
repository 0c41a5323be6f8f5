export { buildDemoCity, type DemoCityOptions } from './city.ts';
export * from './script/mod.ts';
export { type CameraAccess, edgeOf, type SiteOptions, siteOf } from './site.ts';
export type { CameraIncident, DemoCamera, DemoCity, DemoCover, DemoEdge, SensorIncident } from './types.ts';
export { zonesOf } from './zones.ts';
