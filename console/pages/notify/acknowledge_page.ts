export { Acknowledge as default } from './acknowledge.tsx';
