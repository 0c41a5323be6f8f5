import { cameras } from './zh/cameras.ts';
import { cases } from './zh/cases.ts';
import { desired } from './zh/desired.ts';
import { devices } from './zh/devices.ts';
import { events } from './zh/events.ts';
import { notify } from './zh/notify.ts';
import { pipeline } from './zh/pipeline.ts';
import { refusals } from './zh/refusals.ts';
import { shell } from './zh/shell.ts';
import { situation } from './zh/situation.ts';
import { words } from './zh/words.ts';

/** Every text that a person reads, by page. `en` must have the same keys: a missing one does not compile. */
export const zh = {
  ...shell,
  ...words,
  ...situation,
  ...events,
  ...cases,
  ...devices,
  ...cameras,
  ...desired,
  ...pipeline,
  ...notify,
  ...refusals,
};

export type Dictionary = typeof zh;
