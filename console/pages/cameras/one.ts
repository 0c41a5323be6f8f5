export { CameraPage as default } from './camera_page.tsx';
