import type { ConfigNote } from '#grid/wire/mod.ts';
import { isGewuError, type Log } from '#service/mod.ts';
import { openModel } from '../vision/mod.ts';
import { ModelFiles, type ModelState, withCrashed } from './model_store.ts';

/** Lives of the node that a pushed model is given. */
const LIVES_MAX = 3;

/** With which model a node starts. */
export interface StartingModel {
  files: ModelFiles;
  state: ModelState;
  /** Of the node's own file. */
  ownFolder: string;
  /** Model folder in use. */
  folder: string;
  /** Why it is not the one that was in use last. */
  note: ConfigNote | null;
}

/**
 * The model that was in use when the node ended, or the one before it where it ended the node again and again, or the node's own
 * where its file is damaged.
 */
export async function openStartingModel({
  ownFolder,
  dataDir,
  ignored,
  log,
}: {
  ownFolder: string;
  dataDir: string;
  ignored: boolean;
  log: Log;
}): Promise<StartingModel> {
  const files = new ModelFiles({ dataDir, log });
  const found = await files.read();
  const own = { files, ownFolder, folder: ownFolder, note: null };
  if (ignored || found.active === null) return { ...own, state: found };
  const state = nextLife(found);
  const folderOf = (sha256: string | null) => (sha256 === null ? ownFolder : files.folder(sha256));
  const crashed: ConfigNote | null =
    state.active === found.active
      ? null
      : { code: 'GEWU_MODEL_CRASHED', key: 'model', message: `the node ended ${LIVES_MAX} times with package ${found.active}` };
  if (crashed !== null) log.error(crashed, 'the model before is in use again');
  if (state !== found) await files.write(state);
  try {
    await openModel(folderOf(state.active));
    return { ...own, state, folder: folderOf(state.active), note: crashed };
  } catch (error) {
    if (!isGewuError(error)) throw error;
    log.error({ err: error.message }, 'the model that was in use cannot be read: the one of the file is used');
    const note = { code: error.code, key: 'model', message: error.message.slice(0, 512) };
    return { ...own, state: { ...state, active: null, previous: null, lives: null }, note };
  }
}

function nextLife(state: ModelState): ModelState {
  const { active, lives, previous } = state;
  if (active === null || lives === null) return state;
  if (lives < LIVES_MAX) return { ...state, lives: lives + 1 };
  return { ...withCrashed(state, active), active: previous, previous: null, lives: null };
}
