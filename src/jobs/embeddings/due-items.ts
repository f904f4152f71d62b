import type { JobContext } from '../job-context.ts';
import type { ItemReference } from './item-reference.ts';

/** What we read of a row of `list_due_embeddings`. */
export interface DueItem {
  item_type: string;
  item_id: string;
  content: string;
  content_hash: string;
}

/** Which items to embed, if they are due: these, or those of a repository; nulls: all. */
export interface Scope {
  items: ItemReference[] | null;
  repositoryId: string | null;
}

/** The longest changed items that have no vector of the model for what they say now: at most so many, and so many bytes. */
export async function listDue(
  { rpc, signal }: JobContext<unknown>,
  { items, repositoryId }: Scope,
  model: string,
  most: { items: number; bytes: number },
): Promise<DueItem[]> {
  return await rpc<DueItem[]>(
    'list_due_embeddings',
    { items, repository_id: repositoryId, model, max_items: most.items, max_bytes: most.bytes },
    { signal },
  );
}
