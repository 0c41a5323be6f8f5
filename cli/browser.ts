import { type Browser, chromium } from 'playwright-core';
import { GewuError } from '#service/mod.ts';
import { PROGRAMS } from './programs.ts';

/**
 * Drawing is done by the processor: figures and pictures are the same with and without a graphics card. `canvas`: only what pages draw by WebGL
 * goes through the emulated card, the rest is painted straight away, for a tenth of the time; `all`: everything does, as on a machine with a card.
 */
const EMULATED = { canvas: 'swiftshader-webgl', all: 'swiftshader' } as const;

/** Debian's Chromium without a window, for tests, benches and screenshots. Throws GEWU_MISSING_PROGRAM. */
export async function launchBrowser(emulated: keyof typeof EMULATED = 'canvas'): Promise<Browser> {
  const executablePath = await PROGRAMS.chromium.find();
  if (executablePath === null) throw new GewuError('GEWU_MISSING_PROGRAM', 'chromium is not installed');
  const args = [
    '--no-sandbox',
    '--disable-background-networking',
    `--use-angle=${EMULATED[emulated]}`,
    '--enable-unsafe-swiftshader',
  ];
  return chromium.launch({ executablePath, args });
}
