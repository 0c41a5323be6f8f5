export { calibrationPoints } from './calibration.ts';
export { SimulatedCamera, type SimulatedCameraConfig, type SimulatedCameraDeps, type SimulatedCameraStats } from './camera.ts';
export * from './encoder/mod.ts';
export { PICTURE_FAULTS, type PictureFault, spoilPicture } from './picture_fault.ts';
export * from './reel/mod.ts';
export * from './rtsp/mod.ts';
export * from './scene.ts';
export * from './script/mod.ts';
export { createStreetRenderer, toLocal, toWgs84 } from './street/mod.ts';
