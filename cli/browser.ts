import { type Browser, chromium } from 'playwright-core';
import { GewuError } from '#service/mod.ts';
import { PROGRAMS } from './programs.ts';

/**
 * Drawing is done by the processor, as on a machine without a graphics card: only what pages draw by WebGL goes through an emulated one,
 * the rest is painted straight away, for a tenth of the time.
 */
const FLAGS = ['--no-sandbox', '--disable-background-networking', '--use-angle=swiftshader-webgl', '--enable-unsafe-swiftshader'];

/** Debian's Chromium without a window, for tests, benches and screenshots. Throws GEWU_MISSING_PROGRAM. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = await PROGRAMS.chromium.find();
  if (executablePath === null) throw new GewuError('GEWU_MISSING_PROGRAM', 'chromium is not installed');
  return chromium.launch({ executablePath, args: FLAGS });
}
