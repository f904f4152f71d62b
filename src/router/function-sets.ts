import type { JobDefinition } from '../jobs/define-job.ts';

/** What one Inngest endpoint serves, and under which name Inngest knows it. */
export interface FunctionSet {
  /** For people: the endpoint's name in logs and answers. */
  endpoint: string;
  /** Its own for each endpoint: two endpoints that share one replace each other at every registration. */
  appId: string;
  /** The ids of the functions that it serves. Default: all. */
  functionIds?: readonly string[];
  /** Serves in development only. Default: everywhere. */
  isLocal?: boolean;
}

/** `netlify/functions/inngest-hybrid`. */
export const hybridSet: FunctionSet = { endpoint: 'inngest-hybrid', appId: 'hybrid-jobs' };

/** `netlify/functions/inngest-local-full`, for the local Inngest dashboard. */
export const localSet: FunctionSet = {
  endpoint: 'inngest-local-full',
  appId: 'hybrid-jobs-local',
  isLocal: true,
};

/** `supabase/functions/inngest-prod`: the other home of the core of the capture jobs. */
export const coreSet = {
  endpoint: 'inngest-prod',
  appId: 'hybrid-jobs-core',
  functionIds: [
    'capture-pr-details',
    'capture-pr-details-graphql',
    'capture-pr-reviews',
    'capture-pr-comments',
    'capture-issue-comments',
    'capture-repository-issues',
    'capture-repository-sync',
    'update-pr-activity',
    'discover-new-repository',
    'classify-repository-size',
  ],
} satisfies FunctionSet;

/** The job kinds of the catalog that the set serves. */
export function servedBy(set: FunctionSet, catalog: readonly JobDefinition[]): readonly JobDefinition[] {
  const { functionIds } = set;
  return functionIds ? catalog.filter(({ functionId }) => functionIds.includes(functionId)) : catalog;
}
