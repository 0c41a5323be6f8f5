export { DesiredPage as default } from './desired_page.tsx';
