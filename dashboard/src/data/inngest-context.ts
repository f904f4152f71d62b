import { createContext, use } from 'react';

export const InngestContext = createContext<string | null>(null);

/** @returns the address of a run in Inngest's own dashboard; undefined where there is none */
export function useInngestRun(runId: string | null): string | undefined {
  const pattern = use(InngestContext);
  return pattern && runId ? pattern.replace('{run}', encodeURIComponent(runId)) : undefined;
}
