export { Notify as default } from './notify.tsx';
