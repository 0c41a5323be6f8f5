import { type DesiredCamera, type DesiredState, desiredMistakes, Site, type SiteMistake, withDesired } from '#grid/mod.ts';
import { CONFIG_NOTES_MAX, type ConfigNote } from '#grid/wire/mod.ts';
import { checkConfig, type Log } from '#service/mod.ts';
import { DesiredStore, type Kept } from './store.ts';

/** Lives of the node that a revision is given: one that ended them all is given up. */
const LIVES_MAX = 3;

/** With what desired state a node starts. */
export interface StartingDesired {
  store: DesiredStore;
  kept: Kept;
  /** Nothing is taken from the centre: `gewu edge --ignore-desired`. */
  ignored: boolean;
  /** The node's own file. */
  file: Site;
  /** What is in force: the file with the desired state over it. */
  site: Site;
  notes: ConfigNote[];
}

/**
 * Reads what is kept from earlier lives and counts this one. Parts that the node's file, changed since, has made wrong are left out
 * and noted: a camera that was taken out must not cost the others their zones.
 */
export async function openDesired({
  site: file,
  dataDir,
  ignored,
  log,
}: {
  site: Site;
  dataDir: string;
  ignored: boolean;
  log: Log;
}): Promise<StartingDesired> {
  const store = new DesiredStore({ dataDir, log });
  const found = await store.read();
  if (ignored) return { store, kept: found, ignored, file, site: file, notes: [] };
  const kept = nextLife(found);
  if (kept !== found) await store.write(kept);
  const gaveUp = kept.crashed > found.crashed ? [crashNote(kept.crashed)] : [];
  const state = (kept.trial ?? kept.running)?.state ?? {};
  const { usable, mistakes } = usablePart(file, state);
  const notes = [...gaveUp, ...notesOf(mistakes)];
  for (const { key, message } of notes) log.error({ key, message }, 'desired state');
  return { store, kept, ignored, file, site: siteWith(file, usable), notes };
}

/** The file with the desired state over it, its defaults filled in. */
export function siteWith(file: Site, state: DesiredState): Site {
  return checkConfig('site', Site, withDesired(file, state).site);
}

function nextLife(kept: Kept): Kept {
  const { trial } = kept;
  if (trial === null) return kept;
  if (trial.lives >= LIVES_MAX) return { ...kept, trial: null, crashed: trial.revision };
  return { ...kept, trial: { ...trial, lives: trial.lives + 1 } };
}

const crashNote = (revision: number): ConfigNote => ({
  code: 'GEWU_DESIRED_CRASHED',
  key: '',
  message: `the node ended ${LIVES_MAX} times with revision ${revision}`,
});

/** Mistakes of a configuration as notes of a report. */
export function notesOf(mistakes: readonly { key: string; message: string }[]): ConfigNote[] {
  return mistakes
    .slice(0, CONFIG_NOTES_MAX - 1)
    .map(({ key, message }) => ({ code: 'GEWU_DESIRED_INVALID', key: key.slice(0, 256), message: message.slice(0, 512) }));
}

/** Without the parts that have mistakes. */
function usablePart(file: Site, state: DesiredState): { usable: DesiredState; mistakes: SiteMistake[] } {
  const mistakes = desiredMistakes(file, state);
  const usable = structuredClone(state);
  for (const { key } of mistakes) {
    const [list, camera = '', part] = key.split('.');
    if (list === 'maintenance') delete usable.maintenance;
    else if (list === 'candidate') delete usable.candidate;
    else if (list === 'calendars') delete usable.calendars?.[camera];
    else if (part === undefined) delete usable.cameras?.[camera];
    else delete usable.cameras?.[camera]?.[part as keyof DesiredCamera];
  }
  return { usable, mistakes };
}
