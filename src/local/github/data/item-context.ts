import type { Cast } from './accounts.ts';

/** What a repository's pull requests and issues are generated from. */
export interface ItemContext {
  readonly seed: string;
  readonly cast: Cast;
  readonly defaultBranch: string;
  /** Added to a number to give the database id. */
  readonly firstItemId: number;
  /** First id of the reviews and comments of one pull request or issue. */
  firstEntryId(number: number): number;
  /** The pull request with more reviews and comments than fit on a page; null in a small repository. */
  readonly busyNumber: number | null;
  /** The pull request with a body of about 60 kB; null in a small repository. */
  readonly longBodyNumber: number | null;
}
