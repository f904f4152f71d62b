import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { generateRepository } from '../../data/repository.ts';
import { reviewBody, reviewCommentBody } from './feedback.ts';
import { issueBody } from './issue.ts';
import { pullRequestBody } from './pull-request.ts';
import { repositoryBody } from './repository.ts';
import { userBody } from './user.ts';

const payloadSchema = z.record(z.string(), z.unknown());
const catalogueSchema = z.array(z.object({ name: z.string(), examples: z.array(payloadSchema) }));

/** A part of a payload that GitHub has really sent, for example the `review` of `pull_request_review`. */
function recorded(event: string, part: string): Record<string, unknown> {
  const file = fileURLToPath(import.meta.resolve('@octokit/webhooks-examples'));
  const catalogue = catalogueSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  return payloadSchema.parse(catalogue.find(({ name }) => name === event)?.examples[0]?.[part]);
}

const repository = generateRepository({
  owner: 'Codertocat',
  name: 'Hello-World',
  pullRequests: 60,
  issues: 4,
});
const links = { api: 'https://api.github.com', fullName: repository.fullName };
const pull = repository.pullRequests().find(({ reviewComments }) => reviewComments.length > 0);
const [review, comment, issue] = [pull?.reviews[0], pull?.reviewComments[0], repository.issues()[0]];
if (!pull || !review || !comment || !issue)
  throw new Error('expected a pull request with feedback, and an issue');

test('a repository has the fields and exactly the URLs of a recorded one', () => {
  const sample = recorded('pull_request', 'repository');
  const body: Record<string, unknown> = { ...repositoryBody(links, repository) };
  expect(Object.keys(sample).filter((key) => !(key in body))).toEqual([]);
  const urls = Object.keys(sample).filter((key) => /(^|_)url$/.test(key));
  expect(urls.length).toBeGreaterThan(40);
  expect(Object.fromEntries(urls.map((key) => [key, body[key]]))).toEqual(
    Object.fromEntries(urls.map((key) => [key, sample[key]])),
  );
});

test.for([
  ['pull request', 'pull_request', 'pull_request', pullRequestBody(links, repository, pull)],
  ['review', 'pull_request_review', 'review', reviewBody(links, pull, review)],
  ['review comment', 'pull_request_review_comment', 'comment', reviewCommentBody(links, pull, comment)],
  ['issue', 'issues', 'issue', issueBody(links, issue)],
  ['user', 'issues', 'sender', userBody(links.api, repository.fields.owner)],
] as const)('a %s has every field of a recorded one', ([, event, part, body]) => {
  expect(Object.keys(recorded(event, part)).filter((key) => !(key in body))).toEqual([]);
});
