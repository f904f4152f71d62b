import { z } from 'zod';
import { uuidOf } from '../../uuid-of.ts';

/** A repository as a payload names it, in one shape whatever the sender wrote. */
export interface RepositoryReference {
  /** Our uuid; null: look it up by the other fields. */
  id: string | null;
  /** GitHub's id, which outlives renames. */
  githubId: number | null;
  /** Null only when `id` is given. */
  owner: string | null;
  /** Null only when `id` is given. */
  name: string | null;
}

const accepted =
  'repository "owner/name", repository {owner, name, github_id?}, owner with repo, owner with name, or repositoryId (uuid)';

/** GitHub allows letters, digits and dashes, in names dots and underscores too; managed users have underscores. */
const part = '(?!\\.{1,2}(?:/|$))[A-Za-z0-9._-]{1,100}';
const fullName = new RegExp(`^(${part})/(${part})$`);
const isPart = (text: string): boolean => new RegExp(`^${part}$`).test(text);

const owner = z.string().refine(isPart, 'expected the name of a GitHub account');
const name = z.string().refine(isPart, 'expected the name of a GitHub repository, without its owner');
const githubId = z.int().positive();
/** Postgres stores numbers of pull requests in 32 bits. */
const prNumber = z.int32().positive();

const repository = z
  .unknown()
  .transform((value, ctx) => {
    const [, owner, name] = (typeof value === 'string' && fullName.exec(value)) || [];
    if (owner !== undefined) return { owner, name };
    if (typeof value === 'object') return value;
    refuse(ctx, [], 'expected "owner/name" or {owner, name, github_id?}');
    return z.NEVER;
  })
  .pipe(z.object({ owner, name, github_id: githubId.nullish() }));

const fields = {
  repository: repository.nullish(),
  repositoryId: uuidOf('a repository').nullish(),
  owner: owner.nullish(),
  repo: name.nullish(),
  name: name.nullish(),
};

type Fields = z.output<z.ZodObject<typeof fields>>;

const numberFields = {
  pr_number: prNumber.nullish(),
  prNumber: prNumber.nullish(),
  prNumbers: z.array(prNumber).nonempty().nullish(),
};

type NumberFields = z.output<z.ZodObject<typeof numberFields>>;

/**
 * The part of a payload that names a repository: every accepted spelling becomes `{ repository }`. Jobs add their own
 * fields with `.and(z.object({…}))`; fields that nobody asked for are dropped, since senders add their own.
 */
export const repositoryPayload = z
  .object(fields)
  .transform((payload, ctx) => ({ repository: toReference(payload, ctx) }));

/** The same where a payload may name no repository: `{ repository: null }` then. */
export const optionalRepositoryPayload = z.object(fields).transform((payload, ctx) => {
  const { repository, repositoryId, owner, repo } = payload;
  const isNamed = [repository, repositoryId, owner, repo].some((field) => field != null);
  return { repository: isNamed ? toReference(payload, ctx) : null };
});

/** The same for one pull request: `pr_number`, `prNumber` or `prNumbers` of one become `prNumber`. */
export const pullRequestPayload = z.object({ ...fields, ...numberFields }).transform((payload, ctx) => ({
  repository: toReference(payload, ctx),
  prNumber: toNumber(payload, ctx),
}));

/** Of one job; more belong to several. */
const mostPullRequests = 1_000;

/** The same for many pull requests: all that `pr_number`, `prNumber` and `prNumbers` name, each once. */
export const pullRequestsPayload = z.object({ ...fields, ...numberFields }).transform((payload, ctx) => ({
  repository: toReference(payload, ctx),
  prNumbers: toNumbers(payload, ctx),
}));

/**
 * A text that is the same for all payloads that name one repository in one way. Our uuid and a name do not meet in it,
 * for that would need the database.
 */
export function repositoryKey({ id, owner, name }: RepositoryReference): string {
  return owner === null || name === null ? `repository:${id}` : `repository:${owner}/${name}`.toLowerCase();
}

function toReference(payload: Fields, ctx: z.RefinementCtx): RepositoryReference {
  const { repository, repositoryId } = payload;
  const flat = flatName(payload, ctx);
  if (repository == null && repositoryId == null && flat === null)
    refuse(ctx, ['repository'], `expected one of ${accepted}`);
  if (repository != null && flat !== null && !sameName(repository, flat))
    refuse(ctx, ['repository'], 'expected the repository that the other fields name');
  return {
    id: repositoryId ?? null,
    githubId: repository?.github_id ?? null,
    owner: (repository ?? flat)?.owner ?? null,
    name: (repository ?? flat)?.name ?? null,
  };
}

interface FullName {
  owner: string;
  name: string;
}

/** `{owner, repo}` or `{owner, name}`; null when there is no such pair. A lone `name` may be anything's name. */
function flatName({ owner, repo, name }: Fields, ctx: z.RefinementCtx): FullName | null {
  const named = repo ?? name;
  if (owner != null && named != null) return { owner, name: named };
  if (owner != null) refuse(ctx, ['repo'], 'expected the name of the repository next to owner');
  if (repo != null) refuse(ctx, ['owner'], 'expected the owner next to repo');
  return null;
}

function givenNumbers({ pr_number, prNumber, prNumbers }: NumberFields): number[] {
  return [...new Set([pr_number, prNumber, ...(prNumbers ?? [])].filter((number) => number != null))];
}

function toNumbers(payload: NumberFields, ctx: z.RefinementCtx): number[] {
  const numbers = givenNumbers(payload);
  if (numbers.length === 0)
    refuse(ctx, ['prNumbers'], 'expected prNumbers, pr_number or prNumber to name pull requests');
  if (numbers.length > mostPullRequests)
    refuse(ctx, ['prNumbers'], `expected at most ${mostPullRequests} pull requests, not ${numbers.length}`);
  return numbers;
}

function toNumber(payload: NumberFields, ctx: z.RefinementCtx): number {
  const [number, ...others] = givenNumbers(payload);
  if (number === undefined)
    refuse(ctx, ['prNumber'], 'expected pr_number, prNumber or prNumbers to name a pull request');
  if (others.length > 0) refuse(ctx, ['prNumber'], `expected one pull request, not ${others.length + 1}`);
  return number ?? 0;
}

function sameName(a: FullName, b: FullName): boolean {
  return `${a.owner}/${a.name}`.toLowerCase() === `${b.owner}/${b.name}`.toLowerCase();
}

function refuse(ctx: z.RefinementCtx, path: string[], message: string): void {
  ctx.addIssue({ code: 'custom', path, message });
}
