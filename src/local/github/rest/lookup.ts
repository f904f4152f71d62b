import type { Context } from 'hono';
import type { PullRequest } from '../data/records.ts';
import type { Repository } from '../data/repository.ts';
import type { World } from '../data/world.ts';
import type { Links } from './bodies/schema.ts';
import { notFound } from './errors.ts';

/** A repository of the request's path, and where links to it point. */
interface Found {
  repository: Repository;
  links: Links;
}

/** GitHub's 404 unless the path names a repository. */
export function withRepository(context: Context, world: World, answer: (found: Found) => Response): Response {
  const repository = world.repository(`${context.req.param('owner')}/${context.req.param('repo')}`);
  if (!repository) return notFound();
  return answer({ repository, links: { api: apiBase(context), fullName: repository.fullName } });
}

/** GitHub's 404 unless the path names a pull request. */
export function withPullRequest(
  context: Context,
  world: World,
  answer: (found: Found, pull: PullRequest) => Response,
): Response {
  return withRepository(context, world, (found) => {
    const pull = found.repository.pullRequest(Number(context.req.param('number')));
    return pull ? answer(found, pull) : notFound();
  });
}

/** Links in bodies lead back to the stand-in. */
export function apiBase(context: Context): string {
  return new URL(context.req.url).origin;
}
