export * from './check/mod.ts';
export { PictureFit } from './fit.ts';
export * from './formats/mod.ts';
export { InputWriter, inputDims } from './input.ts';
export { type Box, type Letterbox, letterboxOf, toPictureBox } from './letterbox.ts';
export { type LoadedModel, loadManifest, ModelError, ModelManifest, PROVENANCES, type Provenance } from './manifest.ts';
export { packModel, type TextSignature, type UnpackedModel, unpackModel } from './package.ts';
