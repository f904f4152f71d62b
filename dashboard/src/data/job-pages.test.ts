import { expect, test } from 'vitest';
import { mergePage } from './job-pages.ts';
import type { JobPage, JobRow } from './rows.ts';

/** A page of jobs by their ids, each with the status `status`. */
function page(ids: string, next: string | null, status: JobRow['status'] = 'completed'): JobPage {
  const jobs = ids.split('').map((id) => ({ id, status }) as JobRow);
  return { jobs, next, searched_to: null };
}
const idsOf = (pages: JobPage[]) => pages.map(({ jobs }) => jobs.map(({ id }) => id).join(''));

test('a known job takes its new state', () => {
  const [merged] = mergePage([page('cba', null, 'processing')], 0, page('cba', null));
  expect(merged?.jobs.map(({ status }) => status)).toEqual(['completed', 'completed', 'completed']);
});

test('new jobs come on top, and those they push out of the page stay', () => {
  const pages = [page('fed', 'd'), page('cba', null)];
  expect(idsOf(mergePage(pages, 0, page('hgf', 'f')))).toEqual(['hgfed', 'cba']);
});

test('the list goes on after the last job that it shows, whatever was pushed out', () => {
  expect(mergePage([page('fed', 'd')], 0, page('hgf', 'f'))[0]?.next).toBe('d');
  expect(mergePage([page('fed', 'd')], 0, page('fec', 'c'))[0]?.next).toBe('d');
});

test('jobs that left the list go', () => {
  expect(idsOf(mergePage([page('fed', null)], 0, page('fd', null)))).toEqual(['fd']);
  expect(idsOf(mergePage([page('fed', 'd'), page('cba', null)], 0, page('fdc', 'c')))).toEqual(['fdc', 'ba']);
});

test('more news than a page holds: the list starts anew', () => {
  expect(idsOf(mergePage([page('cba', 'a')], 0, page('zyx', 'x')))).toEqual(['zyx']);
});

test('a job that moved to the top, since it failed again, is there once', () => {
  const pages = [page('fed', 'd'), page('cba', null)];
  expect(idsOf(mergePage(pages, 0, page('bfe', 'e')))).toEqual(['bfe', 'ca']);
});

test('an emptied list is empty', () => {
  expect(idsOf(mergePage([page('cba', null)], 0, { jobs: [], next: null, searched_to: null }))).toEqual(['']);
});

test('a page further down is refreshed in its place', () => {
  const pages = [page('fed', 'd'), page('cba', null, 'processing')];
  const merged = mergePage(pages, 1, page('cba', null));
  expect(idsOf(merged)).toEqual(['fed', 'cba']);
  expect(merged[1]?.jobs[0]?.status).toBe('completed');
});
