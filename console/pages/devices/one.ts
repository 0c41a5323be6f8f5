export { Device as default } from './device.tsx';
