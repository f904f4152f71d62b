import { z } from 'zod';
import type { JobContext } from '../job-context.ts';
import { NonRetryableError } from '../outcomes.ts';
import { listDue, type Scope } from './due-items.ts';
import type { TextEmbedder } from './text-embedder.ts';

/** How much one run does. Shared by the payloads of both jobs. */
export const localPayload = z.object({
  /** Items that one run embeds; the next run continues. Default: 2,000. */
  maxItems: z.int32().positive().default(2000),
});

export interface LocalEmbeddings {
  model: string;
  /** Of which a vector was stored. */
  embedded: number;
  /** For which the model had no vector: the reason is in `embeddings.error`. */
  failed: number;
  /** Of up to 32 items. */
  pages: number;
  /** True when `maxItems` ended the run before all were embedded. */
  truncated: boolean;
}

/** So many items are computed again at most when a run is killed; some seconds of a small model's time. */
const itemsPerPage = 32;
const bytesPerPage = 4_000_000;

/** The variable of the always-on process that names the folder. */
export const notSet = 'EMBEDDING_MODEL_PATH: expected the folder of a local embedding model, got nothing';

/**
 * The model of this process; null where none is set.
 * @throws {NonRetryableError} this process cannot have one, or it does not load
 */
export async function openModel({ type, openEmbedder }: JobContext<unknown>): Promise<TextEmbedder | null> {
  if (openEmbedder !== null) return await openEmbedder();
  throw new NonRetryableError(
    `${type} needs the local model of the always-on process: it runs on the lane worker alone (select set_job_lane('${type}', 'worker'))`,
  );
}

/** Embeds what is due, page by page. */
export async function embedLocally(
  ctx: JobContext<z.output<typeof localPayload>>,
  embedder: TextEmbedder,
  scope: Scope,
): Promise<LocalEmbeddings> {
  const { maxItems } = ctx.payload;
  const total = { embedded: 0, failed: 0 };
  let [pages, done] = [0, 0];
  let due = true;
  while (due && done < maxItems) {
    const limit = Math.min(itemsPerPage, maxItems - done);
    const page = await ctx.step(`page ${pages + 1}`, () => embedPage(ctx, embedder, scope, limit));
    due = page.embedded + page.failed > 0;
    if (!due) break;
    pages += 1;
    total.embedded += page.embedded;
    total.failed += page.failed;
    done = total.embedded + total.failed;
    await ctx.progress(Math.min(99, (100 * done) / maxItems), `${done} items embedded`);
  }
  return { model: embedder.model, ...total, pages, truncated: due };
}

async function embedPage(
  ctx: JobContext<unknown>,
  embedder: TextEmbedder,
  scope: Scope,
  limit: number,
): Promise<{ embedded: number; failed: number }> {
  const { rpc, signal } = ctx;
  const { model } = embedder;
  const due = await listDue(ctx, scope, model, { items: limit, bytes: bytesPerPage });
  const rows = [];
  for (const { content, ...item } of due) {
    signal.throwIfAborted();
    rows.push({ ...item, model, ...(await embedOne(embedder, content)) });
  }
  if (rows.length > 0) await rpc<number>('store_embeddings', { rows }, { signal });
  const failed = rows.filter((row) => 'error' in row).length;
  return { embedded: rows.length - failed, failed };
}

/** One by one: a text that the model cannot take spoils no other, and padding to the longest would win no time. */
async function embedOne(
  embedder: TextEmbedder,
  content: string,
): Promise<{ vector: number[] } | { error: string }> {
  try {
    const [vector] = await embedder.embed([content]);
    if (vector === undefined || !vector.some((number) => number !== 0) || !vector.every(Number.isFinite))
      return { error: 'the model gave no vector of finite numbers' };
    return { vector: [...vector] };
  } catch (error) {
    return { error: `the model refused the text: ${error instanceof Error ? error.message : String(error)}` };
  }
}
