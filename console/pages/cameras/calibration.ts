export { CalibrationPage as default } from './calibration_page.tsx';
