import { createCanvas, GlobalFonts, ImageData, type SKRSContext2D } from '@napi-rs/canvas';
import type { Box } from '#models/mod.ts';
import { maskPicture } from './mask.ts';

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
 * The JPEG that proves an event: the masked picture with the event's box drawn in, and a strip below that says what, when,
 * where and which camera. Chinese only where the machine has a font for it.
 */
export async function evidenceJpeg(
  picture: { widthPx: number; heightPx: number; rgb: Uint8Array },
  box: Box,
  people: readonly Box[],
  caption: Caption,
): Promise<Buffer> {
  const masked = maskPicture(picture, [box], people);
  const { widthPx, heightPx } = picture;
  const fontPx = Math.max(11, Math.round(widthPx / 58));
  const lineHeightPx = Math.round(fontPx * 1.5);
  const lines = captionLines(caption);
  const canvas = createCanvas(widthPx, heightPx + lineHeightPx * lines.length + Math.round(fontPx * 0.6));
  const ctx = canvas.getContext('2d');
  ctx.fillStyle = '#101418';
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.putImageData(new ImageData(masked.rgba, widthPx, heightPx), 0, 0);
  const family = chineseFont();
  ctx.font = `${fontPx}px ${family === null ? '' : `"${family}", `}"${LATIN_FONT}", sans-serif`;
  ctx.textBaseline = 'middle';
  drawBox(ctx, box, widthPx, heightPx, fontPx, `${caption.classKey} ${Math.round(caption.confidence * 100)}%`);
  ctx.fillStyle = '#f2f4f6';
  lines.forEach((line, n) => {
    ctx.fillText(line, fontPx * 0.6, heightPx + fontPx * 0.3 + lineHeightPx * (n + 0.5), widthPx - fontPx * 1.2);
  });
  return canvas.encode('jpeg', QUALITY);
}

function drawBox(ctx: SKRSContext2D, box: Box, widthPx: number, heightPx: number, fontPx: number, label: string): void {
  const [x, y] = [box[0] * widthPx, box[1] * heightPx];
  ctx.lineWidth = Math.max(2, fontPx / 6);
  ctx.strokeStyle = '#ff3b30';
  ctx.strokeRect(x, y, (box[2] - box[0]) * widthPx, (box[3] - box[1]) * heightPx);
  const width = ctx.measureText(label).width + fontPx * 0.6;
  // Above the box where there is room, else below its upper edge.
  const top = y >= fontPx * 1.4 ? y - fontPx * 1.4 : y;
  ctx.fillStyle = '#ff3b30';
  ctx.fillRect(Math.min(x, widthPx - width), top, width, fontPx * 1.4);
  ctx.fillStyle = '#ffffff';
  ctx.fillText(label, Math.min(x, widthPx - width) + fontPx * 0.3, top + fontPx * 0.7);
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
