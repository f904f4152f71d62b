import type { Query } from '@tanstack/react-query';

const LIVELY_MS = 2_000;
const CALM_MS = 5_000;
const LONGEST_MS = 60_000;

interface Memory {
  updates: number;
  errorsBefore: number;
  data: unknown;
  interval: number;
}

/** A query as far as its rhythm depends on it. */
interface Asked {
  state: Pick<Query['state'], 'data' | 'dataUpdateCount' | 'errorUpdateCount' | 'status'>;
}

/**
 * How long a view waits before it asks again: 2 s while things change, 5 s when the last answer was the same as the
 * one before, and up to a minute, doubling, while the database does not answer. React Query keeps the previous object
 * when an answer brings nothing new, so that comparing identities is enough; it does not ask at all in hidden tabs.
 */
export function createPolling(): (query: Asked) => number {
  const memories = new WeakMap<Asked, Memory>();
  return (query) => {
    const { state } = query;
    const memory = memories.get(query) ?? {
      updates: 0,
      errorsBefore: 0,
      data: undefined,
      interval: LIVELY_MS,
    };
    memories.set(query, memory);
    if (state.status === 'error') {
      const failures = state.errorUpdateCount - memory.errorsBefore;
      return Math.min(LONGEST_MS, LIVELY_MS * 2 ** failures);
    }
    if (state.dataUpdateCount !== memory.updates) {
      memory.interval = state.data === memory.data ? CALM_MS : LIVELY_MS;
      memory.updates = state.dataUpdateCount;
      memory.errorsBefore = state.errorUpdateCount;
      memory.data = state.data;
    }
    return memory.interval;
  };
}
