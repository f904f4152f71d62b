import { z } from 'zod';
import { uuidOf } from '../uuid-of.ts';

/** Kinds of items, by the names that senders use for them. */
const kinds = {
  issue: 'issue',
  issues: 'issue',
  pr: 'pull_request',
  pull_request: 'pull_request',
  pull_requests: 'pull_request',
  discussion: 'discussion',
  discussions: 'discussion',
} as const;

/** An item that can be embedded. */
export interface ItemReference {
  type: 'issue' | 'pull_request' | 'discussion';
  /** Our uuid. */
  id: string;
}

/** Our uuid of an item. */
export const itemId = uuidOf('an item');

/** `{type, id}`, where `type` is `issue`, `pull_request` (or `pr`) or `discussion`. */
export const itemReference: z.ZodType<ItemReference> = z.object({
  type: z.enum(Object.keys(kinds) as (keyof typeof kinds)[]).transform((kind) => kinds[kind]),
  id: itemId,
});
