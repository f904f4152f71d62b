import type { components } from '@octokit/openapi-types';

/** A body of GitHub's published REST description, by its name there. */
export type Schema<Name extends keyof components['schemas']> = components['schemas'][Name];

/** Where bodies point: the stand-in itself for the API, github.com for pages. */
export interface Links {
  /** Base of the REST API, without a slash at its end. */
  api: string;
  /** `owner/name` */
  fullName: string;
}

export function apiUrl({ api, fullName }: Links, path = ''): string {
  return `${api}/repos/${fullName}${path}`;
}

export function pageUrl({ fullName }: Links, path = ''): string {
  return `https://github.com/${fullName}${path}`;
}
