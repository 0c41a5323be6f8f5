export { Cases as default } from './cases.tsx';
