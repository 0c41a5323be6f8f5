export { LiveConfig } from './config.ts';
export { GREETING_BYTES_MAX, Greetings } from './greeting.ts';
export { LastPictures } from './last_pictures.ts';
export { farewell } from './viewer.ts';
export { type LiveDependencies, type LiveRequest, LiveViews } from './views.ts';
