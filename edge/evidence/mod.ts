export { makeFolder, writeDurably } from './files.ts';
export { blockPx, type MaskedPicture, maskPicture, region } from './mask.ts';
export { type Caption, captionLines, chineseFont, evidenceJpeg } from './picture.ts';
export { EvidenceStore, type PendingFile } from './store.ts';
export { EvidenceUploader, type UploaderDeps } from './uploader.ts';
