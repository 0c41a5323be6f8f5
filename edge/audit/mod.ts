export { Trail, type TrailAct } from './trail.ts';
