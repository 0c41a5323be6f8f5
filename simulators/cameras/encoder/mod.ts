export { type EncoderConfig, type EncoderDeps, type EncoderStats, H264Encoder } from './encoder.ts';
export { type CodedPicture, FlvReader } from './flv.ts';
