export type {
  Actor,
  Incident,
  IncidentActor,
  IncidentClass,
  MovingActor,
  ObjectTemplate,
  StayingActor,
  StreetScript,
  Waypoint,
} from './actor.ts';
export { customer, decoys, passingCar, type Stretch, walker } from './bystanders.ts';
export { ARRIVAL_MS, arrivalMs, type IncidentPlan, stageIncident } from './incidents.ts';
export { kerb, lane, onPavement, type Side, type StreetPlace, sideOf, toEnu, toStreetPlace, trafficHeadingDeg } from './place.ts';
export { sceneAt, stanceAt } from './scene_at.ts';
export { OBJECT_SIZES, type ObjectSize } from './sizes.ts';
export { type StagePlan, stageStreet } from './stage.ts';
export { type StagedIncident, truthOf } from './truth.ts';
