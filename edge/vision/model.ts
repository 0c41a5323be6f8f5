import { type LoadedModel, loadManifest, ModelError, modelFormat } from '#models/mod.ts';
import { GewuError } from '#service/mod.ts';

/** Loads and checks a model folder. Throws GEWU_MODEL_INVALID. */
export async function openModel(dir: string): Promise<LoadedModel> {
  try {
    const model = await loadManifest(dir);
    if (modelFormat(model.manifest.family) === undefined)
      throw new ModelError(`${dir}: no decoder for model family ${model.manifest.family}`);
    return model;
  } catch (error) {
    if (error instanceof ModelError) throw new GewuError(error.code, error.message, { cause: error });
    throw error;
  }
}
