export { CasePage as default } from './case_page.tsx';
