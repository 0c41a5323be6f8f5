export { Devices as default } from './devices.tsx';
