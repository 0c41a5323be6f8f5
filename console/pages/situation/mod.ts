export { Situation as default } from './situation.tsx';
