import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { Outline } from '../data/records.ts';
import type { Repository } from '../data/repository.ts';
import { errorResponse } from './errors.ts';

/**
 * What a list of pull requests, or of issues with the pull requests among them, shows, in its order.
 * @param kind undefined for both
 */
export function selectOutlines(context: Context, repository: Repository, kind?: Outline['kind']): Outline[] {
  const query = (name: string): string | undefined => context.req.query(name);
  refuse(context, ['head', 'base', 'labels', 'creator', 'assignee', 'milestone', 'mentioned']);
  const sort = query('sort') ?? 'created';
  if (sort !== 'created' && sort !== 'updated') throw unserved(`sort=${sort}`);
  const state = query('state') ?? 'open';
  const since = kind === undefined ? query('since') : undefined;
  // Pull requests sorted by anything but their creation start with the oldest, issues never do.
  const direction = query('direction') ?? (kind !== undefined && sort !== 'created' ? 'asc' : 'desc');
  const time = (outline: Outline): string => outline[sort === 'updated' ? 'updatedAt' : 'createdAt'];
  const chosen = repository.outlines
    .filter((outline) => kind === undefined || outline.kind === kind)
    .filter((outline) => state === 'all' || (outline.state === 'OPEN') === (state === 'open'))
    .filter((outline) => since === undefined || Date.parse(outline.updatedAt) >= Date.parse(since))
    .sort((a, b) => compare(time(a), time(b)) || a.number - b.number);
  return direction === 'asc' ? chosen : chosen.reverse();
}

/** Comments, oldest first unless asked otherwise. */
export function selectComments<Comment extends { createdAt: string; updatedAt: string }>(
  context: Context,
  comments: readonly Comment[],
): Comment[] {
  const { since, sort, direction } = context.req.query();
  const key = sort === 'updated' ? 'updatedAt' : 'createdAt';
  const chosen = comments
    .filter((comment) => since === undefined || Date.parse(comment.updatedAt) >= Date.parse(since))
    .sort((a, b) => compare(a[key], b[key]));
  return sort !== undefined && direction === 'desc' ? chosen.reverse() : chosen;
}

/** Better an error than a list that ignores what was asked for. */
function refuse(context: Context, names: readonly string[]): void {
  for (const name of names) {
    if (context.req.query(name) !== undefined) throw unserved(name);
  }
}

function unserved(what: string): HTTPException {
  return new HTTPException(501, { res: errorResponse(501, `The GitHub stand-in does not serve ${what}.`) });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
