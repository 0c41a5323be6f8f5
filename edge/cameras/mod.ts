export { type CameraAddress, streamUrl } from './address.ts';
export { toInput } from './arguments.ts';
export {
  type CameraChange,
  type CameraPipeline,
  type CameraPipelineDeps,
  type CameraPipelineStats,
  createCameraPipeline,
} from './pipeline.ts';
