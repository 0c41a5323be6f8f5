export type { OverlayOptions } from './overlay.ts';
export { type LiveStatus, LiveViewer, type LiveViewerOptions } from './viewer.ts';
