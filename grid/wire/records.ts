import { Compile } from 'typebox/compile';
import { EventRecord } from '../events/event.ts';
import { HealthLine } from './health.ts';

export type { EventRecord } from '../events/event.ts';
export type { HealthLine } from './health.ts';

/** Compiled checks of the NDJSON lanes. */
export const checkEvent = Compile(EventRecord);
export const checkHealthLine = Compile(HealthLine);
