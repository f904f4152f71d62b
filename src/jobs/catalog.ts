import { analyzeRepo } from './analysis/analyze-repo.ts';
import { classifyRepositories } from './capture/classify-repositories.ts';
import { classifyRepository } from './capture/classify-repository.ts';
import { discoverRepository } from './capture/discover-repository.ts';
import { captureIssueComments } from './capture/issue-comments.ts';
import { updateActivity } from './capture/pr-activity.ts';
import { captureComments } from './capture/pr-comments.ts';
import { captureDetails } from './capture/pr-details.ts';
import { captureDetailsGraphQL } from './capture/pr-details-graphql.ts';
import { captureReviews } from './capture/pr-reviews.ts';
import { captureRepositoryIssues } from './capture/repository-issues.ts';
import { syncRepository } from './capture/repository-sync.ts';
import { syncRepositoryEnhanced } from './capture/repository-sync-enhanced.ts';
import { syncRepositoryGraphQL } from './capture/repository-sync-graphql.ts';
import { syncDiscussions } from './capture/sync-discussions.ts';
import { syncWorkspacePriorities } from './capture/workspace-priorities.ts';
import type { JobDefinition } from './define-job.ts';
import { computeEmbeddings } from './embeddings/compute-embeddings.ts';
import { generateIssueEmbedding } from './embeddings/generate-issue.ts';
import { generatePullRequestEmbedding } from './embeddings/generate-pull-request.ts';
import { processEmbeddingBatch } from './embeddings/process-batch.ts';
import { recalculateSimilarities } from './embeddings/recalculate-similarities.ts';
import { generateLocalEmbeddingsBatch } from './embeddings/local-batch.ts';
import { generateLocalEmbeddings } from './embeddings/local-generate.ts';
import { cancelJobs } from './system/cancel-jobs.ts';
import { deliverCallback } from './system/deliver-callback.ts';
import { jobFailed } from './system/job-failed.ts';
import { jobFinished } from './system/job-finished.ts';
import { ping } from './system/ping.ts';
import { sweepJobs } from './system/sweep-jobs.ts';
import { aggregateMetrics } from './workspaces/aggregate-metrics.ts';
import { changeRepository } from './workspaces/change-repository.ts';
import { cleanUpMetrics } from './workspaces/clean-up-metrics.ts';
import { scheduleAggregation } from './workspaces/schedule-aggregation.ts';

const definitions: readonly JobDefinition[] = [
  ping,
  cancelJobs,
  sweepJobs,
  deliverCallback,
  jobFinished,
  captureDetails,
  captureDetailsGraphQL,
  captureReviews,
  captureComments,
  captureIssueComments,
  captureRepositoryIssues,
  syncRepository,
  syncRepositoryGraphQL,
  syncRepositoryEnhanced,
  discoverRepository,
  classifyRepositories,
  classifyRepository,
  updateActivity,
  syncWorkspacePriorities,
  syncDiscussions,
  analyzeRepo,
  generateLocalEmbeddings,
  generateLocalEmbeddingsBatch,
  computeEmbeddings,
  generateIssueEmbedding,
  generatePullRequestEmbedding,
  processEmbeddingBatch,
  recalculateSimilarities,
  aggregateMetrics,
  scheduleAggregation,
  changeRepository,
  cleanUpMetrics,
];

/** Every job kind of this deployment. To add a job, write its file and name it above. */
export const catalog: readonly JobDefinition[] = [...definitions, jobFailed(definitions)];
