export { type CameraAddress, streamUrl } from './address.ts';
export { type CameraPipeline, type CameraPipelineDeps, type CameraPipelineStats, createCameraPipeline } from './pipeline.ts';
