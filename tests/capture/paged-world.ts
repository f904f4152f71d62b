import type { Repository, RepositoryRecipe } from '../../src/local/github/data/repository.ts';
import { startGitHubStandIn, type GitHubStandIn } from '../../src/local/github/stand-in.ts';

/** Of which every list has more than a page. */
const recipe: RepositoryRecipe = {
  ...{ owner: 'octo-org', name: 'paged', seed: 5 },
  ...{ pullRequests: 105, issues: 100, discussions: 30 },
};

/** More repositories than one request asks for the sizes of. */
const crowd: RepositoryRecipe[] = Array.from({ length: 55 }, (_, n) => ({
  owner: 'crowd',
  name: `member-${n}`,
}));

/** A stand-in with a repository that takes several pages of everything. */
export async function startPagedWorld(): Promise<{ standIn: GitHubStandIn; repository: Repository }> {
  const standIn = await startGitHubStandIn({ repositories: [recipe, ...crowd] });
  const repository = standIn.data.repository('octo-org/paged');
  const issue = repository?.issues().at(-1);
  const comment = repository?.issues().find(({ comments }) => comments.length > 0)?.comments[0];
  if (!repository || !issue || !comment) throw new Error('the stand-in has no such repository');
  const firstId = issue.databaseId * 1000;
  const comments = Array.from({ length: 210 }, (_, n) => ({ ...comment, databaseId: firstId + n }));
  repository.editIssue(issue.number, { comments });
  return { standIn, repository };
}
