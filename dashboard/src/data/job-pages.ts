import type { JobPage } from './rows.ts';

/**
 * Puts a page that was fetched again into the pages that are on the screen.
 *
 * A row that was seen and is not in the new page has left the list (its status changed under a filter, or it was
 * deleted) unless newer rows pushed it out at the end of the page: then it stays. Nothing in common with the first
 * page any more means that more new jobs came than a page holds: the list starts anew.
 *
 * @param index which of `pages` was fetched again, with the same cursor as at first
 */
export function mergePage(pages: readonly JobPage[], index: number, fresh: JobPage): JobPage[] {
  const old = pages[index];
  if (!old) return [...pages];
  const isFresh = idsIn(fresh);
  const lastShared = old.jobs.findLastIndex(({ id }) => isFresh.has(id));
  if (index === 0 && lastShared === -1 && fresh.jobs.length > 0) return [fresh];
  const later = pages.slice(index + 1);
  const reachesFurther =
    fresh.next === null || later.some(({ jobs }) => jobs.some(({ id }) => isFresh.has(id)));
  const pushedOut = reachesFurther ? [] : old.jobs.slice(lastShared + 1);
  return [
    ...pages.slice(0, index).map((page) => without(page, isFresh)),
    {
      ...fresh,
      jobs: [...fresh.jobs, ...pushedOut],
      next: pushedOut.length > 0 ? old.next : fresh.next,
      searched_to: pushedOut.length > 0 ? old.searched_to : fresh.searched_to,
    },
    ...later.map((page) => without(page, isFresh)),
  ];
}

function idsIn({ jobs }: JobPage): Set<string> {
  return new Set(jobs.map(({ id }) => id));
}

function without(page: JobPage, ids: ReadonlySet<string>): JobPage {
  return { ...page, jobs: page.jobs.filter(({ id }) => !ids.has(id)) };
}
