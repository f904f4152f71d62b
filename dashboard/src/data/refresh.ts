import type { QueryClient } from '@tanstack/react-query';

/** First part of the key of the loaded list. Its pages are refreshed one by one, never all at once. */
export const JOB_LIST = 'job-list';

/** After an action: has what is on the screen asked anew. */
export async function refreshViews(queries: QueryClient): Promise<void> {
  await queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== JOB_LIST });
}
