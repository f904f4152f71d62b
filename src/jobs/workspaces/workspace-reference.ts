import { z } from 'zod';
import type { JobContext } from '../job-context.ts';
import { NonRetryableError } from '../outcomes.ts';
import { uuidOf } from '../uuid-of.ts';

const uuid = uuidOf('a workspace');

const fields = { workspaceId: uuid.nullish(), workspace_id: uuid.nullish() };

/**
 * The part of a payload that names a workspace: `workspaceId` or `workspace_id`. Jobs add their own fields with
 * `.and(z.object({…}))`; fields that nobody asked for are dropped, since senders add their own.
 */
export const workspacePayload = z.object(fields).transform((payload, ctx) => {
  const { workspaceId, workspace_id } = payload;
  const ids = new Set([workspaceId, workspace_id].filter((id) => id != null).map((id) => id.toLowerCase()));
  const [id] = ids;
  if (id === undefined || ids.size > 1) {
    const expected = id === undefined ? 'the uuid of a workspace' : 'the workspace that workspace_id names';
    ctx.addIssue({ code: 'custom', path: ['workspaceId'], message: `expected ${expected}` });
  }
  return { workspaceId: id ?? '' };
});

/** The numbers of a window, named as the columns of `workspace_metrics`. */
type WindowNumbers = Record<string, number | null>;

/** What `aggregate_workspace_metrics` returns. */
export interface AggregatedMetrics {
  as_of: string;
  repositories: number;
  repositories_read: number;
  windows: Record<'7' | '30' | '90', WindowNumbers>;
}

export interface WorkspaceMetrics {
  workspaceId: string;
  /** The last day of the windows (UTC). */
  asOf: string;
  /** Repositories of the workspace. */
  repositories: number;
  /** Those whose captured rows were read; the days of the others were known. */
  repositoriesRead: number;
  /** Numbers of the last 7, 30 and 90 days. */
  windows: AggregatedMetrics['windows'];
}

/**
 * @param read - repositories that were read before, in portions
 * @throws {NonRetryableError} the database has no such workspace
 */
export function metricsOf(
  workspaceId: string,
  metrics: AggregatedMetrics | null,
  read: number,
): WorkspaceMetrics {
  if (metrics === null)
    throw new NonRetryableError(`workspaceId: expected a workspace that exists, got ${workspaceId}`);
  return {
    workspaceId,
    asOf: metrics.as_of,
    repositories: metrics.repositories,
    repositoriesRead: read + metrics.repositories_read,
    windows: metrics.windows,
  };
}

/** The context of a job whose payload names a workspace. */
export type WorkspaceContext<More = unknown> = JobContext<{ workspaceId: string } & More>;
