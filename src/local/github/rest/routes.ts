import { Hono } from 'hono';
import type { World } from '../data/world.ts';
import type { Quota, RateLimit } from '../rate-limit.ts';
import { commitBody } from './bodies/commit.ts';
import { issueCommentBody, reviewBody, reviewCommentBody } from './bodies/feedback.ts';
import { issueBody } from './bodies/issue.ts';
import { pullRequestBody, pullRequestSimpleBody } from './bodies/pull-request.ts';
import { fullRepositoryBody } from './bodies/repository.ts';
import type { Schema } from './bodies/schema.ts';
import { userBody } from './bodies/user.ts';
import { errorResponse, notFound } from './errors.ts';
import { selectComments, selectOutlines } from './filters.ts';
import { apiBase, withPullRequest, withRepository } from './lookup.ts';
import { list } from './pagination.ts';

/** GitHub's REST API, as far as the jobs use it. */
export function createRestRoutes(world: World, limits: { core: RateLimit; graphql: RateLimit }): Hono {
  const routes = new Hono();
  addRepositoryRoutes(routes, world);
  addFeedbackRoutes(routes, world);
  routes.get('/user', (context) => context.json(userBody(apiBase(context), world.viewer)));
  routes.get('/rate_limit', (context) => {
    const core = limitBody(limits.core.quota());
    const body: Schema<'rate-limit-overview'> = {
      resources: {
        core,
        search: { ...core, limit: 30, remaining: 30, used: 0 },
        graphql: limitBody(limits.graphql.quota()),
      },
      rate: core,
    };
    return context.json(body);
  });
  return routes;
}

function addRepositoryRoutes(routes: Hono, world: World): void {
  routes.get('/repos/:owner/:repo', (context) =>
    withRepository(context, world, ({ repository, links }) =>
      context.json(fullRepositoryBody(links, repository)),
    ),
  );
  routes.get('/repos/:owner/:repo/commits/:sha{[0-9a-f]{40}}', (context) =>
    withRepository(context, world, ({ repository, links }) => {
      const sha = context.req.param('sha');
      if (repository.commits().length === 0) return errorResponse(409, 'Git Repository is empty.');
      const commit = repository.commits().find(({ oid }) => oid === sha);
      return commit
        ? context.json(commitBody(links, commit))
        : errorResponse(422, `No commit found for SHA: ${sha}`);
    }),
  );
  routes.get('/repos/:owner/:repo/pulls', (context) =>
    withRepository(context, world, ({ repository, links }) =>
      list(context, selectOutlines(context, repository, 'pull request'), ({ number }) => {
        const pull = repository.pullRequest(number);
        return pull && pullRequestSimpleBody(links, repository, pull);
      }),
    ),
  );
  routes.get('/repos/:owner/:repo/issues', (context) =>
    withRepository(context, world, ({ repository, links }) =>
      list(context, selectOutlines(context, repository), ({ number }) => {
        const item = repository.pullRequest(number) ?? repository.issue(number);
        return item && issueBody(links, item);
      }),
    ),
  );
  routes.get('/repos/:owner/:repo/issues/:number{[0-9]+}', (context) =>
    withRepository(context, world, ({ repository, links }) => {
      const number = Number(context.req.param('number'));
      const item = repository.pullRequest(number) ?? repository.issue(number);
      return item ? context.json(issueBody(links, item)) : notFound();
    }),
  );
}

function addFeedbackRoutes(routes: Hono, world: World): void {
  const pulls = '/repos/:owner/:repo/pulls/:number{[0-9]+}';
  routes.get(pulls, (context) =>
    withPullRequest(context, world, ({ repository, links }, pull) =>
      context.json(pullRequestBody(links, repository, pull)),
    ),
  );
  routes.get(`${pulls}/reviews`, (context) =>
    withPullRequest(context, world, ({ links }, pull) =>
      list(context, pull.reviews, (review) => reviewBody(links, pull, review)),
    ),
  );
  routes.get(`${pulls}/comments`, (context) =>
    withPullRequest(context, world, ({ links }, pull) =>
      list(context, selectComments(context, pull.reviewComments), (comment) =>
        reviewCommentBody(links, pull, comment),
      ),
    ),
  );
  routes.get('/repos/:owner/:repo/issues/:number{[0-9]+}/comments', (context) =>
    withRepository(context, world, ({ repository, links }) => {
      const number = Number(context.req.param('number'));
      const item = repository.pullRequest(number) ?? repository.issue(number);
      if (!item) return notFound();
      return list(context, selectComments(context, item.comments), (comment) =>
        issueCommentBody(links, item, comment),
      );
    }),
  );
}

function limitBody({ limit, remaining, used, resetAt }: Quota): Schema<'rate-limit'> {
  return { limit, remaining, used, reset: resetAt };
}
