export { type Camera, cameraOf, toLocal, toWgs84 } from './camera.ts';
export { type RandomView, randomLight, randomScene, randomView } from './random.ts';
export { createStreetRenderer } from './renderer.ts';
export { type Dice, diceOf, hash } from './seed.ts';
