import { access, constants } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { NonRetryableError } from '../jobs/outcomes.ts';
import type { OpenEmbedder, TextEmbedder } from '../jobs/embeddings/text-embedder.ts';

/** Beside the names of other providers' models. */
const prefix = 'local/';

/**
 * A sentence embedding model in a folder, as Hugging Face lays them out (config.json, tokenizer.json, onnx/model.onnx or
 * onnx/model_quantized.onnx), run by transformers.js. Nothing is loaded before the first call, and nothing is downloaded.
 *
 * @param folder - undefined: nobody set one
 */
export function createLocalEmbedder(folder: string | undefined): OpenEmbedder {
  let opened: Promise<TextEmbedder> | null = null;
  return async () => {
    if (folder === undefined) return null;
    // A folder that was empty may be filled by the time of the next job.
    opened ??= load(folder).catch((error: unknown) => {
      opened = null;
      throw error;
    });
    return await opened;
  };
}

async function load(folder: string): Promise<TextEmbedder> {
  const path = resolve(folder);
  const dtype = await weightsIn(path);
  const { env, pipeline } = await transformers();
  env.allowRemoteModels = false;
  const extract = await pipeline('feature-extraction', path, { dtype }).catch((error: unknown) => {
    throw new NonRetryableError(
      `EMBEDDING_MODEL_PATH: the model in ${path} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  });
  async function embed(texts: readonly string[]): Promise<Float32Array[]> {
    // What the sentence-transformers models are trained for: the mean over the tokens, divided by its length.
    const { data, dims } = await extract([...texts], { pooling: 'mean', normalize: true });
    const dimensions = dims.at(-1) ?? 0;
    return texts.map((_, index) =>
      Float32Array.from(data.slice(index * dimensions, (index + 1) * dimensions) as Float32Array),
    );
  }
  const [probe] = await embed(['dimensions']);
  return { model: modelName(path), dimensions: probe?.length ?? 0, embed };
}

function modelName(path: string): string {
  return prefix + basename(path).replace(/\s+/g, '-');
}

/** Which weights the folder has: the full ones are preferred. */
async function weightsIn(path: string): Promise<'fp32' | 'q8'> {
  if (await exists(`${path}/onnx/model.onnx`)) return 'fp32';
  if (await exists(`${path}/onnx/model_quantized.onnx`)) return 'q8';
  throw new NonRetryableError(
    `EMBEDDING_MODEL_PATH: expected a folder with onnx/model.onnx or onnx/model_quantized.onnx, got ${path}`,
  );
}

async function exists(path: string): Promise<boolean> {
  return await access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}

/** An optional dependency, of some hundred megabytes: only here, and only when a job asks. */
async function transformers() {
  return await import('@huggingface/transformers').catch((error: unknown) => {
    throw new NonRetryableError(
      'the package @huggingface/transformers is missing or does not load: npm install @huggingface/transformers',
      { cause: error },
    );
  });
}
