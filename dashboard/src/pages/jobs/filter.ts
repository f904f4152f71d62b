import { lanes, statuses, type JobFilter } from '../../data/rows.ts';

const texts = ['type', 'repository', 'from', 'to', 'text'] as const;

export type FilterName = keyof JobFilter;

/** The filter that the address holds. Unknown states and lanes are left out; the database names other mistakes. */
export function readFilter(search: URLSearchParams): JobFilter {
  const status = statuses.find((known) => known === search.get('status'));
  const lane = lanes.find((known) => known === search.get('lane'));
  const given = texts.flatMap((name) => {
    const value = search.get(name)?.trim();
    return value ? [[name, value] as const] : [];
  });
  return { ...(status && { status }), ...(lane && { lane }), ...Object.fromEntries(given) };
}
