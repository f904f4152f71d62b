import type { GitHub } from '../../github/github.ts';
import { NonRetryableError } from '../outcomes.ts';
import { openCredential } from './credentials.ts';
import type { AnalysisContext } from './payload.ts';

/** What the later steps know of the repository, and as whom they ask GitHub. Holds no token. */
export interface LoadedContext {
  owner: string;
  name: string;
  isPrivate: boolean;
  /** True: with the user's token, opened anew in each step; false: with the platform's, which reads public repositories only. */
  asUser: boolean;
}

interface Begun {
  refused?: string;
  owner?: string;
  name?: string;
  github_id?: number;
}

/**
 * Takes the analysis, and asks GitHub for its repository as its user; where the user has left no token, as the platform.
 * @throws {NonRetryableError} the analysis is not this job's, the token is refused, or the repository is not for this user
 */
export async function loadContext(ctx: AnalysisContext): Promise<LoadedContext> {
  const { jobId, userId, repoId } = ctx.payload;
  const analysis = { analysis_id: jobId, user_id: userId, repository_id: repoId, job_id: ctx.jobId };
  const begun = await ctx.rpc<Begun>('begin_analysis', analysis, { signal: ctx.signal });
  const { owner, name: repo } = begun;
  if (owner === undefined || repo === undefined)
    throw new NonRetryableError(`job ${ctx.type}: ${begun.refused ?? 'the repository has no name'}`);
  const theirs = await openAsUser(ctx);
  const { data } = await (theirs ?? ctx.github).rest.repos.get({ owner, repo });
  if (data.id !== begun.github_id)
    throw new NonRetryableError(`repoId: ${owner}/${repo} is another repository on GitHub by now`);
  if (data.private && theirs === null)
    throw new NonRetryableError(`repoId: ${owner}/${repo} is private. ${signIn}`);
  return { owner: data.owner.login, name: data.name, isPrivate: data.private, asUser: theirs !== null };
}

/** GitHub as whom the first step asked it. For use within one step. */
export async function openGitHub(ctx: AnalysisContext, { asUser }: LoadedContext): Promise<GitHub> {
  if (!asUser) return ctx.github;
  const theirs = await openAsUser(ctx);
  if (theirs === null)
    throw new NonRetryableError(`The user's GitHub token was deleted meanwhile. ${signIn}`);
  return theirs;
}

const signIn = 'Sign in with GitHub again, and start another analysis.';

async function openAsUser(ctx: AnalysisContext): Promise<GitHub | null> {
  const token = await openCredential(ctx, ctx.payload.userId, 'github');
  return token === null
    ? null
    : ctx.github.withToken(token, `The user's GitHub token has expired or was revoked. ${signIn}`);
}
