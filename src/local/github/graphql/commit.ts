import type { GraphQLResolveInfo } from 'graphql';
import type { Commit } from '../data/records.ts';
import type { Repository } from '../data/repository.ts';
import { renderActor } from './actor.ts';
import { connection, type PageArguments } from './connection.ts';
import { TypedGraphQLError } from './typed-error.ts';

interface HistoryArguments extends PageArguments {
  since?: string | null;
  until?: string | null;
  path?: string | null;
  author?: object | null;
}

/** The default branch with its newest commit, and from there its history; null where nothing was ever pushed. */
export function renderDefaultBranch(repository: Repository): object | null {
  const [head] = repository.commits();
  if (!head) return null;
  return {
    name: repository.fields.defaultBranch,
    prefix: 'refs/heads/',
    target: () => renderCommit(head, repository),
  };
}

function renderCommit(commit: Commit, repository: Repository): object {
  const sum = (part: 'additions' | 'deletions'): number =>
    commit.files.reduce((total, file) => total + file[part], 0);
  const [headline = '', ...body] = commit.message.split('\n');
  return {
    __typename: 'Commit',
    oid: commit.oid,
    message: commit.message,
    messageHeadline: headline,
    messageBody: body.join('\n').trim(),
    authoredDate: new Date(commit.authoredAt).toISOString(),
    author: {
      name: commit.authorName,
      date: gitTimestamp(commit),
      // A bot is no `User`.
      user: commit.author?.type === 'User' ? renderActor(commit.author) : null,
    },
    parents: { totalCount: commit.parents.length },
    additions: sum('additions'),
    deletions: sum('deletions'),
    changedFilesIfAvailable: commit.files.length,
    history: history(commit, repository),
  };
}

/** Not converted to UTC, unlike all other times. */
function gitTimestamp({ authoredAt, utcOffsetMinutes }: Commit): string {
  const local = new Date(authoredAt + utcOffsetMinutes * 60_000).toISOString().slice(0, 19);
  const minutes = Math.abs(utcOffsetMinutes);
  const two = (number: number): string => String(number).padStart(2, '0');
  const zone = `${utcOffsetMinutes < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  return `${local}${utcOffsetMinutes === 0 ? 'Z' : zone}`;
}

/** The commit and all before it, newest first. */
function history(from: Commit, repository: Repository) {
  return (args: HistoryArguments, _context: unknown, info: GraphQLResolveInfo): object => {
    if (args.since != null || args.until != null || args.path != null || args.author != null)
      throw new TypedGraphQLError('INTERNAL', 'The GitHub stand-in serves the whole history only.');
    const all = repository.commits();
    const places = all.slice(all.indexOf(from)).map((commit, age) => ({ commit, age }));
    return connection(
      {
        items: places,
        positionOf: ({ age }) => [from.oid, age],
        render: ({ commit }) => renderCommit(commit, repository),
      },
      args,
      info,
    );
  };
}
