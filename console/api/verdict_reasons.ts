import type { VerdictReason } from '#grid/api/mod.ts';
import { zh } from '../i18n/mod.ts';

export type { EventAnswer, VerdictReason } from '#grid/api/mod.ts';

/** In the order in which they are offered. The schema itself would bring its library into the browser; the dictionary knows them all. */
export const VERDICT_REASONS = Object.keys(zh.verdictReason) as VerdictReason[];
