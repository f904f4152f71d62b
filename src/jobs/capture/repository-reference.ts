import { z } from 'zod';

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

/** GitHub allows letters, digits, dashes and (for managed users) underscores in owners, dots too in names. */
const namePart = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/;
const owner = z.string().regex(namePart, 'expected a GitHub account name');
const name = z.string().regex(namePart, 'expected a GitHub repository name without its owner');
const githubId = z.int('expected a GitHub id (a whole number)').positive();
const prNumber = z
  .int('expected a pull request number (a whole number)')
  .positive()
  .max(2 ** 31 - 1);

const fullName = z
  .string()
  .regex(/^[^/]+\/[^/]+$/, 'expected "owner/name"')
  .transform((text) => ({ owner: text.split('/')[0], name: text.split('/')[1] }))
  .pipe(z.object({ owner, name }));

const fields = {
  repository: z
    .union([fullName, z.object({ owner, name, github_id: githubId.nullish() })], {
      error: 'expected "owner/name" or {owner, name, github_id?}',
    })
    .nullish(),
  repositoryId: z.guid({ error: 'expected the uuid of a repository' }).nullish(),
  owner: owner.nullish(),
  repo: name.nullish(),
  name: name.nullish(),
};

type Fields = z.output<z.ZodObject<typeof fields>>;

const numberFields = {
  pr_number: prNumber.nullish(),
  prNumber: prNumber.nullish(),
  prNumbers: z.array(prNumber).nonempty('expected at least one pull request number').nullish(),
};

type NumberFields = z.output<z.ZodObject<typeof numberFields>>;

/**
 * The part of a payload that names a repository: every accepted spelling becomes `{ repository }`. Jobs add their own
 * fields with `.and(z.object({…}))`; fields that nobody asked for are dropped, since senders add their own.
 */
export const repositoryPayload = z
  .object(fields)
  .transform((payload, ctx) => ({ repository: toReference(payload, ctx) }));

/** The same for one pull request: `pr_number`, `prNumber` or `prNumbers` of one become `prNumber`. */
export const pullRequestPayload = z.object({ ...fields, ...numberFields }).transform((payload, ctx) => ({
  repository: toReference(payload, ctx),
  prNumber: toNumber(payload, ctx),
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
    refuse(ctx, 'repository', `expected one of ${accepted}`);
  if (repository != null && flat !== null && !sameName(repository, flat))
    refuse(ctx, 'repository', `expected the repository that owner and ${flat.field} name`);
  const named = repository ?? flat;
  return {
    id: repositoryId ?? null,
    githubId: (repository != null && 'github_id' in repository ? repository.github_id : null) ?? null,
    owner: named?.owner ?? null,
    name: named?.name ?? null,
  };
}

interface FlatName {
  owner: string;
  name: string;
  field: 'repo' | 'name';
}

/** `{owner, repo}` or `{owner, name}`; null when there is no such pair. A lone `name` may be anything's name. */
function flatName({ owner, repo, name }: Fields, ctx: z.RefinementCtx): FlatName | null {
  if (owner != null && repo != null) return { owner, name: repo, field: 'repo' };
  if (owner != null && name != null) return { owner, name, field: 'name' };
  if (owner != null) refuse(ctx, 'repo', 'expected the name of the repository next to owner, got nothing');
  if (repo != null) refuse(ctx, 'owner', 'expected the owner next to repo, got nothing');
  return null;
}

function toNumber({ pr_number, prNumber, prNumbers }: NumberFields, ctx: z.RefinementCtx): number {
  const numbers = [...new Set([pr_number, prNumber, ...(prNumbers ?? [])])].filter(
    (number) => number != null,
  );
  if (numbers.length !== 1)
    refuse(
      ctx,
      'prNumber',
      `expected pr_number, prNumber or prNumbers to name one pull request, got ${numbers.join(', ') || 'none'}`,
    );
  return numbers[0] ?? 0;
}

function sameName(a: { owner: string; name: string }, b: { owner: string; name: string }): boolean {
  return `${a.owner}/${a.name}`.toLowerCase() === `${b.owner}/${b.name}`.toLowerCase();
}

function refuse(ctx: z.RefinementCtx, field: string, message: string): void {
  ctx.addIssue({ code: 'custom', path: [field], message });
}
