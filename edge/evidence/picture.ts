import { type Canvas, createCanvas, GlobalFonts, ImageData, loadImage, type SKRSContext2D } from '@napi-rs/canvas';
import { frameWidthPx, KEPT_MARGIN, regionOf } from '#grid/mod.ts';
import type { Box } from '#models/mod.ts';
import { maskPicture, type Picture } from './mask.ts';

/** What is written into the picture. */
export interface Caption {
  nameZh: string;
  nameEn: string;
  /** `2:0501`, `1:0102:cover_open` */
  classKey: string;
  confidence: number;
  /** UTC ms of the picture, and the site's IANA time zone. */
  takenAt: number;
  timeZone: string;
  lon: number;
  lat: number;
  errorRadiusM: number;
  cell: string;
  component?: string | undefined;
  camera: string;
}

const QUALITY = 80;
const ORIGINAL_QUALITY = 92;
/** Families that draw Chinese, the usual ones of Linux distributions first. */
const CHINESE_FONTS = [
  'WenQuanYi Zen Hei',
  'WenQuanYi Micro Hei',
  'Noto Sans CJK SC',
  'Noto Sans SC',
  'Source Han Sans SC',
  'Droid Sans Fallback',
  'Microsoft YaHei',
  'SimHei',
  'PingFang SC',
];
const LATIN_FONT = 'DejaVu Sans';

/** The family for Chinese text on this machine; null when there is none (package fonts-wqy-zenhei brings one). */
export function chineseFont(): string | null {
  return CHINESE_FONTS.find((family) => GlobalFonts.has(family)) ?? null;
}

/**
 * The JPEG that proves an event: the masked picture with a frame around the event's box, and a strip below that says what, when,
 * where and which camera. Chinese only where the machine has a font for it.
 */
export async function evidenceJpeg(
  picture: Picture,
  { box, people, clear }: { box: Box; people: readonly Box[]; clear: boolean },
  caption: Caption,
): Promise<Buffer> {
  const masked = maskPicture(picture, clear ? 'all' : [box], people);
  const { widthPx, heightPx } = picture;
  const strip = captionStrip(widthPx, captionLines(caption));
  const canvas = createCanvas(widthPx, heightPx + strip.height);
  const ctx = canvas.getContext('2d');
  ctx.putImageData(new ImageData(masked.rgba, widthPx, heightPx), 0, 0);
  drawFrame(ctx, box, widthPx, heightPx);
  ctx.drawImage(strip, 0, heightPx);
  return canvas.encode('jpeg', QUALITY);
}

/** The strip below a picture of this width; its height is even, as video wants it. */
export function captionStrip(widthPx: number, lines: readonly string[]): Canvas {
  const { fontPx, lineHeightPx } = textSize(widthPx);
  const canvas = createCanvas(widthPx, 2 * Math.ceil((lineHeightPx * lines.length + fontPx * 0.6) / 2));
  const ctx = canvas.getContext('2d');
  ctx.fillStyle = '#101418';
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  setFont(ctx, widthPx);
  ctx.fillStyle = '#f2f4f6';
  lines.forEach((line, n) => {
    ctx.fillText(line, fontPx * 0.6, fontPx * 0.3 + lineHeightPx * (n + 0.5), widthPx - fontPx * 1.2);
  });
  return canvas;
}

/** An original: the picture as it came, in the quality that evidence is cut from. Its memory is free again when this returns. */
export function originalJpeg({ widthPx, heightPx, rgba }: Picture): Promise<Buffer> {
  const canvas = createCanvas(widthPx, heightPx);
  canvas.getContext('2d').putImageData(new ImageData(rgba, widthPx, heightPx), 0, 0);
  return canvas.encode('jpeg', ORIGINAL_QUALITY);
}

export async function readJpeg(jpeg: Buffer): Promise<Picture> {
  const image = await loadImage(jpeg);
  const canvas = createCanvas(image.width, image.height);
  const ctx = canvas.getContext('2d');
  ctx.drawImage(image, 0, 0);
  const { data } = ctx.getImageData(0, 0, image.width, image.height);
  return { widthPx: image.width, heightPx: image.height, rgba: new Uint8ClampedArray(data) };
}

function textSize(widthPx: number): { fontPx: number; lineHeightPx: number } {
  const fontPx = Math.max(11, Math.round(widthPx / 58));
  return { fontPx, lineHeightPx: Math.round(fontPx * 1.5) };
}

function setFont(ctx: SKRSContext2D, widthPx: number): void {
  const { fontPx } = textSize(widthPx);
  const family = chineseFont();
  ctx.font = `${fontPx}px ${family === null ? '' : `"${family}", `}"${LATIN_FONT}", sans-serif`;
  ctx.textBaseline = 'middle';
}

/** Around what is shown clear, covering none of it: it may be learnt from (docs/models.md, "A dataset from verdicts"). */
function drawFrame(ctx: SKRSContext2D, box: Box, widthPx: number, heightPx: number): void {
  const [left, top, right, bottom] = regionOf(box, KEPT_MARGIN, widthPx, heightPx);
  const width = frameWidthPx(widthPx);
  ctx.lineWidth = width;
  ctx.strokeStyle = '#ff3b30';
  ctx.strokeRect(left - width / 2, top - width / 2, right - left + width, bottom - top + width);
}

/** The three lines of the strip: what, when, where. */
export function captionLines(c: Caption, family: string | null = chineseFont()): string[] {
  const name = family === null ? c.nameEn : `${c.nameZh} ${c.nameEn}`;
  const where = `${c.lon.toFixed(6)}, ${c.lat.toFixed(6)} ±${c.errorRadiusM.toFixed(1)} m  cell ${c.cell}`;
  return [
    `${name}  ${c.classKey}  ${Math.round(c.confidence * 100)}%  camera ${c.camera}`,
    `${localTime(c.takenAt, c.timeZone)}  ${new Date(c.takenAt).toISOString()}`,
    c.component === undefined ? where : `${where}  component ${c.component}`,
  ];
}

/** `2026-11-23 15:50:52 GMT+8`, the clock on the wall of the site. */
function localTime(utcMs: number, timeZone: string): string {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'shortOffset',
  });
  const parts = new Map(format.formatToParts(utcMs).map((part) => [part.type, part.value]));
  const get = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
  return `${get('year')}-${get('month')}-${get('day')} ${get('hour')}:${get('minute')}:${get('second')} ${get('timeZoneName')}`;
}
