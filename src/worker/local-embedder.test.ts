import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTinyModel } from '../../tests/support/tiny-model.ts';
import { NonRetryableError } from '../jobs/outcomes.ts';
import { createLocalEmbedder } from './local-embedder.ts';

let folder: string;
let model: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'local-embedder-'));
  model = join(folder, 'tiny model');
  await writeTinyModel(model, ['login', 'crash', 'cache', 'slow']);
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

const dot = (a: Float32Array | undefined, b: Float32Array | undefined): number =>
  [...(a ?? [])].reduce((sum, number, index) => sum + number * (b?.[index] ?? 0), 0);

describe('a local model', () => {
  it('is loaded from its folder, and gives each text a vector of length 1', async () => {
    const embedder = await createLocalEmbedder(model)();
    expect(embedder).toMatchObject({ model: 'local/tiny-model', dimensions: 4 });
    const vectors = (await embedder?.embed(['Crash', 'login crash', 'slow cache', 'what else?'])) ?? [];
    expect(vectors.map(({ length }) => length)).toEqual([4, 4, 4, 4]);
    for (const vector of vectors) expect(dot(vector, vector)).toBeCloseTo(1, 6);
    expect([...vectors[0]!]).toEqual([0, 1, 0, 0]);
    expect(dot(vectors[0], vectors[1])).toBeCloseTo(Math.SQRT1_2, 6);
    expect(dot(vectors[1], vectors[2])).toBe(0);
  });

  it('gives a text the same vector alone and among longer ones', async () => {
    const embedder = await createLocalEmbedder(model)();
    const [alone] = (await embedder?.embed(['crash'])) ?? [];
    const [among] = (await embedder?.embed(['crash', 'login login login slow cache'])) ?? [];
    expect([...among!]).toEqual([...alone!]);
  });

  it('reads the beginning of a text that is too long for it', async () => {
    const embedder = await createLocalEmbedder(model)();
    const [vector] = (await embedder?.embed(['crash '.repeat(128) + 'slow '.repeat(5000)])) ?? [];
    expect([...vector!]).toEqual([0, 1, 0, 0]);
  });

  it('is loaded once', async () => {
    const open = createLocalEmbedder(model);
    const [first, second] = await Promise.all([open(), open()]);
    expect(second).toBe(first);
  });

  it('is none where no folder is set', async () => {
    expect(await createLocalEmbedder(undefined)()).toBeNull();
  });

  it('is refused for good where the folder has no weights, with the variable and the folder', async () => {
    const opening = createLocalEmbedder(join(folder, 'nothing'))();
    await expect(opening).rejects.toThrow(NonRetryableError);
    await expect(opening).rejects.toThrow(
      `EMBEDDING_MODEL_PATH: expected a folder with onnx/model.onnx or onnx/model_quantized.onnx, got ${folder}/nothing`,
    );
  });

  it('is found once the folder has been filled', async () => {
    const late = join(folder, 'late');
    const open = createLocalEmbedder(late);
    await expect(open()).rejects.toThrow(NonRetryableError);
    await writeTinyModel(late, ['word']);
    expect(await open()).toMatchObject({ model: 'local/late', dimensions: 1 });
  });
});
