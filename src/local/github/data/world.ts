import { createAccount } from './accounts.ts';
import { generateRepository, type Repository, type RepositoryRecipe } from './repository.ts';
import type { Account } from './records.ts';

/** Everything the stand-in knows: the truth that tests compare their rows with. */
export interface World {
  /** @param fullName `owner/name`; upper and lower case are the same, as on GitHub. */
  repository(fullName: string): Repository | undefined;
  readonly repositories: readonly Repository[];
  /** Who the token belongs to. */
  readonly viewer: Account;
}

/** A busy repository, an empty one, and one with a single pull request. */
const DEFAULT_RECIPES: readonly RepositoryRecipe[] = [
  { owner: 'octo-org', name: 'hello-hybrid', pullRequests: 340, issues: 60, discussions: 40 },
  { owner: 'octo-org', name: 'empty', fields: { description: null, primaryLanguage: null } },
  { owner: 'octo-org', name: 'single', pullRequests: 1 },
];

/**
 * @param seed of every recipe that names none
 * @param now milliseconds since the epoch that all times are relative to
 */
export function createWorld(options: {
  seed: number;
  now: number;
  recipes?: readonly RepositoryRecipe[];
}): World {
  const repositories = [...DEFAULT_RECIPES, ...(options.recipes ?? [])].map((recipe) =>
    generateRepository({ seed: options.seed, now: options.now, ...recipe }),
  );
  const byName = new Map(repositories.map((each) => [each.fullName.toLowerCase(), each]));
  return {
    repository: (fullName) => byName.get(fullName.toLowerCase()),
    repositories: [...byName.values()],
    viewer: createAccount('User', 'octocat', 'The Octocat', 583_231),
  };
}
