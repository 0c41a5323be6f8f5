import { cameras } from './en/cameras.ts';
import { cases } from './en/cases.ts';
import { desired } from './en/desired.ts';
import { devices } from './en/devices.ts';
import { events } from './en/events.ts';
import { notify } from './en/notify.ts';
import { pipeline } from './en/pipeline.ts';
import { refusals } from './en/refusals.ts';
import { shell } from './en/shell.ts';
import { situation } from './en/situation.ts';
import { words } from './en/words.ts';
import type { Dictionary } from './zh.ts';

export const en: Dictionary = {
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
