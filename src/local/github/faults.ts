import { z } from 'zod';
import {
  createFaultControl,
  type FaultControl,
  pathPattern,
  type RepeatedFault,
  repetition,
} from '../stand-in/fault-control.ts';

const FAULT_KINDS = [
  'primary-limit',
  'secondary-limit',
  'unauthorized',
  'not-found',
  'gone',
  'unavailable-for-legal-reasons',
  'server-error',
  'bad-gateway',
  'hang',
  'truncated',
  'latency',
  'graphql-rate-limited',
  'graphql-partial',
  'graphql-timeout',
] as const;

/** What goes wrong, for which requests, and how often. All of it is JSON, so that other processes can order it, too. */
export interface Fault extends RepeatedFault {
  kind: (typeof FAULT_KINDS)[number];
  /** Every given part must match. Default: every request. */
  match?: {
    method?: string | undefined;
    /** The path without the query; `*` stands for anything. */
    path?: string | undefined;
    /** A GraphQL operation's name, or any part of the query's text. */
    operation?: string | undefined;
  };
  /** Instead of the kind's usual HTTP status: 403 for limits, 500, 502, 200 for GraphQL kinds. */
  status?: number;
  /** Of a secondary limit. Default 60. */
  retryAfterSeconds?: number;
  /** Seconds until a primary or GraphQL limit resets. Default 60. */
  resetSeconds?: number;
  /** Delay of `latency`. Default 1000. */
  latencyMs?: number;
  /** What `graphql-partial` replaces with null. Default: the first field of the answer. */
  dataPath?: (string | number)[];
}

export const faultSchema: z.ZodType<Fault> = z.strictObject({
  kind: z.enum(FAULT_KINDS),
  match: z
    .strictObject({
      method: z.string().optional(),
      path: z.string().optional(),
      operation: z.string().optional(),
    })
    .exactOptional(),
  ...repetition,
  status: z.int().min(200).max(599).exactOptional(),
  retryAfterSeconds: z.int().nonnegative().exactOptional(),
  resetSeconds: z.int().nonnegative().exactOptional(),
  latencyMs: z.int().nonnegative().exactOptional(),
  dataPath: z
    .array(z.union([z.string(), z.int()]))
    .min(1)
    .exactOptional(),
});

/** The part of a request that faults are matched against. */
interface FaultTarget {
  method: string;
  path: string;
  /** Null for REST. */
  graphql: { query: string; operationName: string | null } | null;
}

export type GitHubFaults = FaultControl<Fault, FaultTarget>;

export function createGitHubFaults(): GitHubFaults {
  return createFaultControl<Fault, FaultTarget>(matches);
}

function matches({ kind, match = {} }: Fault, target: FaultTarget): boolean {
  if (kind.startsWith('graphql-') && target.graphql === null) return false;
  if (match.method !== undefined && match.method.toUpperCase() !== target.method) return false;
  if (match.path !== undefined && !pathPattern(match.path).test(target.path)) return false;
  if (match.operation === undefined) return true;
  const { operationName, query } = target.graphql ?? {};
  return operationName === match.operation || (query?.includes(match.operation) ?? false);
}
