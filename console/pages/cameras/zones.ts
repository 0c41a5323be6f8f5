export { ZonesPage as default } from './zones_page.tsx';
