import type { JobDefinition } from '../jobs/define-job.ts';

/** What one Inngest endpoint serves, and under which name Inngest knows it. */
export interface FunctionSet {
  /** For people: the endpoint's name in logs and answers. */
  endpoint: string;
  /** Its own for each endpoint: two endpoints that share one replace each other at every registration. */
  appId: string;
  /** The ids of the functions that it serves. Default: all. */
  functionIds?: readonly string[];
  /** Beginnings of the types of the jobs that it serves. Default: all. */
  typePrefixes?: readonly string[];
  /** Leaves out what this other endpoint serves, once that one is switched on. Default: nothing. */
  cedesTo?: FunctionSet;
  /** Serves in development only. Default: everywhere. */
  isLocal?: boolean;
  /** Outside development it serves only where `INNGEST_EMBEDDINGS_ENDPOINT` is `on`. Default: wherever it is deployed. */
  isSwitched?: boolean;
}

/** `netlify/functions/inngest-embeddings`: embeddings and workspaces, as an app of their own. */
export const embeddingsSet: FunctionSet = {
  endpoint: 'inngest-embeddings',
  appId: 'hybrid-jobs-embeddings',
  typePrefixes: ['embedding/', 'embeddings/', 'embeddings.', 'similarity/', 'workspace.'],
  isSwitched: true,
};

/** `netlify/functions/inngest-hybrid`. */
export const hybridSet: FunctionSet = {
  endpoint: 'inngest-hybrid',
  appId: 'hybrid-jobs',
  cedesTo: embeddingsSet,
};

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

/**
 * The job kinds of the catalog that the set serves.
 * @param isSplit - whether the endpoint to which it cedes jobs is switched on
 */
export function servedBy(
  set: FunctionSet,
  catalog: readonly JobDefinition[],
  isSplit: boolean,
): readonly JobDefinition[] {
  const { cedesTo } = set;
  return catalog.filter(
    (definition) => isIn(set, definition) && !(isSplit && cedesTo && isIn(cedesTo, definition)),
  );
}

function isIn({ functionIds, typePrefixes }: FunctionSet, { functionId, type }: JobDefinition): boolean {
  if (functionIds) return functionIds.includes(functionId);
  return typePrefixes?.some((prefix) => type.startsWith(prefix)) ?? true;
}
