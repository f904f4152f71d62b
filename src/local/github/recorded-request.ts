import type { GraphQLRequest } from './graphql/request.ts';

/** A request that the stand-in received. Never holds a token. */
export interface RecordedRequest {
  method: string;
  path: string;
  /** With its question mark, or empty. */
  search: string;
  /** Null for REST. */
  graphql: GraphQLRequest | null;
  authenticated: boolean;
  ifNoneMatch: string | null;
  userAgent: string | null;
  /** Milliseconds since the epoch. */
  receivedAt: number;
  /** Null until it has been answered. */
  status: number | null;
  /** The kind of the fault that hit it. */
  fault: string | null;
}
