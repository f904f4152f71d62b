/** Entries of an answer's list. Only what is needed to show one of them again. */
type Entries = unknown[];

/**
 * A `fetch` between a job and the stand-in, for what GitHub may do and the stand-in does not.
 *
 * @param options.before - called before the n-th request, from 0
 * @param options.repeats - of each page, the last item comes again on the next page of the same list, and the first one
 *   twice; GraphQL adds a null, which its schema allows everywhere in a list, and a thing without a database id
 * @param options.nulls - a deleted author is null in REST too, where its schema allows that, and empty bodies are absent
 * @param options.isUnpushed - to GraphQL the repository has neither a default branch nor a time of its last push
 */
export function unrulyFetch(options: {
  before: (n: number) => void;
  repeats: boolean;
  nulls: boolean;
  isUnpushed: boolean;
}): typeof fetch {
  const lastItems = new Map<string, unknown>();
  let requests = 0;
  return async (input, init) => {
    options.before(requests++);
    const response = await fetch(input, init);
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    if (response.status !== 200 || !isJson) return response;
    const body: unknown = await response.json();
    const url = new URL(input instanceof Request ? input.url : input);
    if (options.nulls) restNulls(body);
    if (options.isUnpushed) hidePushes(body);
    if (options.repeats) repeatItems(body, url.pathname, isLaterPage(url, init), lastItems);
    const headers = new Headers(response.headers);
    for (const name of ['content-length', 'content-encoding', 'etag']) headers.delete(name);
    return new Response(JSON.stringify(body), { status: 200, headers });
  };
}

function isLaterPage({ searchParams }: URL, init: RequestInit | undefined): boolean {
  const { variables = {} } =
    typeof init?.body === 'string' ? (JSON.parse(init.body) as { variables?: Record<string, unknown> }) : {};
  const hasCursor = Object.entries(variables).some(
    ([name, value]) => name.startsWith('after') && value !== null,
  );
  return hasCursor || Number(searchParams.get('page') ?? 1) > 1;
}

function repeatItems(
  body: unknown,
  pathname: string,
  isLater: boolean,
  lastItems: Map<string, unknown>,
): void {
  for (const [list, entries] of lists(body, pathname)) {
    const before = lastItems.get(list);
    lastItems.set(list, entries.at(-1));
    if (entries.length === 0) continue;
    entries.push(entries[0]);
    if (isLater && before !== undefined) entries.unshift(before);
    if (pathname === '/graphql') entries.splice(1, 0, null, withoutId(entries[0]));
  }
}

/** The lists in an answer, each with a name that its next page has too. */
function lists(body: unknown, name: string): [name: string, entries: Entries][] {
  if (Array.isArray(body)) return name.startsWith('/repos/') ? [[name, body]] : [];
  if (!isRecord(body)) return [];
  return Object.entries(body).flatMap(([key, value]): [string, Entries][] => {
    if ((key === 'nodes' || key === 'edges') && Array.isArray(value) && isRecord(body.pageInfo))
      return [...value.flatMap((node) => lists(node, `${name}.${idOf(node)}`)), [name, value]];
    return isRecord(value) ? lists(value, `${name}.${key}`) : [];
  });
}

function idOf(node: unknown): string {
  const { id, fullDatabaseId, cursor } = isRecord(node) ? node : {};
  return String(id ?? fullDatabaseId ?? cursor);
}

/** A pull request, review, comment or discussion, or the edge to one, as if it had no database id. */
function withoutId(entry: unknown): unknown {
  if (!isRecord(entry)) return entry;
  if ('node' in entry) return { ...entry, node: withoutId(entry.node) };
  return { ...entry, fullDatabaseId: null, databaseId: null };
}

function hidePushes(body: unknown): void {
  const { data } = isRecord(body) ? body : {};
  const repository = isRecord(data) ? data.repository : null;
  if (isRecord(repository)) Object.assign(repository, { defaultBranchRef: null, pushedAt: null });
}

/** The account that stands in for deleted ones. */
const ghost = 10_137;

/** Of issues, comments and reviews, REST's schema allows a null user; of pull requests it does not. */
function restNulls(body: unknown): void {
  for (const item of Array.isArray(body) ? (body as unknown[]) : [body]) {
    if (!isRecord(item) || 'head' in item) continue;
    if (isRecord(item.user) && item.user.id === ghost && !('diff_hunk' in item)) item.user = null;
    if (item.body === '' && 'issue_url' in item) delete item.body;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
