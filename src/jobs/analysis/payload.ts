import { z } from 'zod';
import type { JobContext } from '../job-context.ts';
import { uuidOf } from '../uuid-of.ts';

export const analysisPayload = z.object({
  jobId: uuidOf('a row in analysis_jobs'),
  userId: uuidOf('a user'),
  repoId: uuidOf('a row in repositories'),
  /** The newest commits of the default branch are analysed. Default: 2,000; at most 10,000. */
  maxCommits: z.int().min(1).max(10_000).default(2_000),
  /** For so many of them, the newest that are no merges, GitHub is asked which files they changed: a request each. Default: 200. */
  maxDetails: z.int().min(0).max(1_000).default(200),
});

export type AnalysisContext = JobContext<z.output<typeof analysisPayload>>;
