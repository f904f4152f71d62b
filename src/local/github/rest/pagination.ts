import type { Context } from 'hono';

/** One page of a list, and the `Link` header that leads through it. */
interface Page<Item> {
  items: readonly Item[];
  /** Undefined when everything fits on one page, as on GitHub. */
  link: string | undefined;
}

/** Answers the page that the request asks for. Only that page's items are rendered. */
export function list<Item>(
  context: Context,
  items: readonly Item[],
  render: (item: Item) => object | undefined,
): Response {
  const page = paginate(items, new URL(context.req.url));
  if (page.link !== undefined) context.header('link', page.link);
  return context.json(page.items.map(render));
}

/** @param url of the request; `per_page` (default 30, at most 100) and `page` (from 1) are read from it */
function paginate<Item>(items: readonly Item[], url: URL): Page<Item> {
  const perPage = Math.min(100, positive(url.searchParams.get('per_page'), 30));
  const page = positive(url.searchParams.get('page'), 1);
  const lastPage = Math.max(1, Math.ceil(items.length / perPage));
  const relations: [relation: string, page: number][] = [];
  if (page > 1) relations.push(['prev', Math.min(page - 1, lastPage)]);
  if (page < lastPage) relations.push(['next', page + 1], ['last', lastPage]);
  if (page > 1) relations.push(['first', 1]);
  return {
    items: items.slice((page - 1) * perPage, page * perPage),
    link:
      relations.map(([relation, to]) => `<${withPage(url, to)}>; rel="${relation}"`).join(', ') || undefined,
  };
}

function withPage(url: URL, page: number): string {
  const target = new URL(url);
  target.searchParams.set('page', String(page));
  return target.href;
}

function positive(text: string | null, fallback: number): number {
  const number = Number(text);
  return text !== null && Number.isInteger(number) && number > 0 ? number : fallback;
}
