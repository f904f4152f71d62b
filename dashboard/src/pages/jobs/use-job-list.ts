import { useInfiniteQuery, useQuery, useQueryClient, type InfiniteData } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { mergePage } from '../../data/job-pages.ts';
import { useOperator } from '../../data/operator-context.ts';
import { createPolling } from '../../data/polling.ts';
import { JOB_LIST } from '../../data/refresh.ts';
import type { JobFilter, JobPage, JobRow, Json } from '../../data/rows.ts';

export interface LiveJobList {
  jobs: JobRow[];
  error: Error | null;
  isLoading: boolean;
  isLoadingMore: boolean;
  /** There may be more jobs after the last one. */
  hasMore: boolean;
  /** The last call found nothing within its time: how far back it has looked. */
  searchedTo: string | null;
  loadMore: () => void;
  refetch: () => void;
}

/**
 * The jobs of a filter, older ones as they are asked for. Of all that is loaded only the page with the row
 * `firstVisible` is kept up to date: one request at a time, however far the list was scrolled.
 */
export function useJobList(filter: JobFilter, firstVisible: number): LiveJobList {
  const operator = useOperator();
  const listKey = useMemo(() => [JOB_LIST, filter] as const, [filter]);
  const list = useInfiniteQuery({
    queryKey: listKey,
    queryFn: ({ pageParam }) => operator.jobs(filter, pageParam),
    initialPageParam: null as Json,
    getNextPageParam: ({ next }) => next ?? undefined,
    staleTime: Infinity,
  });
  const pages = useMemo(() => list.data?.pages ?? [], [list.data]);
  const refreshError = useFreshPage(listKey, filter, pages, pageAt(pages, firstVisible));
  const last = pages.at(-1);
  return {
    jobs: useMemo(() => pages.flatMap(({ jobs }) => jobs), [pages]),
    error: list.error ?? refreshError,
    isLoading: list.isLoading,
    isLoadingMore: list.isFetchingNextPage,
    hasMore: list.hasNextPage,
    searchedTo: last?.jobs.length === 0 && list.hasNextPage ? last.searched_to : null,
    loadMore: () => void list.fetchNextPage(),
    refetch: () => void list.refetch(),
  };
}

/** Asks for one page again and again and puts the answers into the list. */
function useFreshPage(
  listKey: readonly unknown[],
  filter: JobFilter,
  pages: readonly JobPage[],
  index: number,
): Error | null {
  const operator = useOperator();
  const queries = useQueryClient();
  const [refetchInterval] = useState(createPolling);
  const { error } = useQuery({
    queryKey: ['job-list-page', filter, index],
    queryFn: async () => {
      const known = queries.getQueryData<InfiniteData<JobPage, Json>>(listKey);
      const fresh = await operator.jobs(filter, known?.pageParams[index] ?? null);
      queries.setQueryData<InfiniteData<JobPage, Json>>(listKey, (now) => now && merged(now, index, fresh));
      return fresh;
    },
    enabled: pages.length > 0,
    initialData: pages[index],
    staleTime: 2_000,
    refetchInterval,
  });
  return error;
}

function merged(
  { pages, pageParams }: InfiniteData<JobPage, Json>,
  index: number,
  fresh: JobPage,
): InfiniteData<JobPage, Json> {
  const next = mergePage(pages, index, fresh);
  return { pages: next, pageParams: pageParams.slice(0, next.length) };
}

/** @returns the index of the page that holds row `row` of the whole list */
function pageAt(pages: readonly JobPage[], row: number): number {
  let rows = 0;
  const index = pages.findIndex(({ jobs }) => (rows += jobs.length) > row);
  return index === -1 ? 0 : index;
}
