export { Cameras as default } from './cameras.tsx';
