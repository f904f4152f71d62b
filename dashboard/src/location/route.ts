import { useSyncExternalStore } from 'react';

/** A place in the monitor, kept in the URL's hash (`#/jobs?status=failed`), so that any page of a host can hold it. */
export interface Route {
  /** Parts of the path: `['jobs', '<id>']`; empty on the overview. */
  path: string[];
  search: URLSearchParams;
}

/** @param hash with or without its `#`; anything that is no path of ours is the overview */
export function parseRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#/, '').split('?');
  const parts = path.startsWith('/') ? path.split('/').filter(Boolean).map(decoded) : [];
  return { path: parts, search: new URLSearchParams(search) };
}

/** A hand-made `%` must not blank the page. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The `href` of a place; parameters without a value are left out. */
export function href(path: readonly string[], search: Record<string, string | undefined> = {}): string {
  const given = Object.entries(search).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const query = new URLSearchParams(given).toString();
  return `#/${path.map(encodeURIComponent).join('/')}${query ? `?${query}` : ''}`;
}

/** Goes to `target` (from `href`); `replace` leaves no entry in the history, for filters that are being typed. */
export function go(target: string, { replace = false } = {}): void {
  if (replace) window.location.replace(target);
  else window.location.hash = target;
}

/** The hash of the page as it changes. */
export function useHash(): string {
  return useSyncExternalStore(subscribe, () => window.location.hash);
}

function subscribe(onChange: () => void): () => void {
  window.addEventListener('hashchange', onChange);
  return () => window.removeEventListener('hashchange', onChange);
}
