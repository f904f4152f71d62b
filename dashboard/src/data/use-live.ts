import { keepPreviousData, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { useState } from 'react';
import { useOperator } from './operator-context.ts';
import type { Operator } from './operator.ts';
import { createPolling } from './polling.ts';

/**
 * What `ask` answers, asked again while the view is visible.
 * @param key names the question, with everything that changes its answer
 */
export function useLive<Data>(
  key: readonly unknown[],
  ask: (operator: Operator) => Promise<Data>,
): UseQueryResult<Data> {
  const operator = useOperator();
  const [refetchInterval] = useState(createPolling);
  return useQuery({
    queryKey: key,
    queryFn: () => ask(operator),
    refetchInterval,
    placeholderData: keepPreviousData,
  });
}
