export { errorRadiusOf, type FittedGround, fitGround, type Ground, type GroundPoint } from './ground.ts';
