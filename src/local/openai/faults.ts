import { z } from 'zod';
import {
  createFaultControl,
  type FaultControl,
  pathPattern,
  type RepeatedFault,
  repetition,
} from '../stand-in/fault-control.ts';
import { errorResponse, wrongKey } from './errors.ts';

const FAULT_KINDS = [
  'rate-limit',
  'no-credit',
  'wrong-key',
  'server-error',
  'overloaded',
  'hang',
  'truncated',
  'latency',
] as const;

/** What goes wrong, for which requests, and how often. All of it is JSON, so that other processes can order it, too. */
export interface Fault extends RepeatedFault {
  kind: (typeof FAULT_KINDS)[number];
  /** Default: every request; `*` stands for anything. */
  path?: string;
  /** Of `rate-limit` and `overloaded`. Default: 20. */
  retryAfterSeconds?: number;
  /** Of `server-error`. Default: 500. */
  status?: number;
  /** Delay of `latency`. Default: 1000. */
  latencyMs?: number;
}

export const faultSchema: z.ZodType<Fault> = z.strictObject({
  kind: z.enum(FAULT_KINDS),
  path: z.string().exactOptional(),
  ...repetition,
  retryAfterSeconds: z.int().nonnegative().exactOptional(),
  status: z.int().min(500).max(599).exactOptional(),
  latencyMs: z.int().nonnegative().exactOptional(),
});

export type OpenAiFaults = FaultControl<Fault, { path: string }>;

export function createOpenAiFaults(): OpenAiFaults {
  return createFaultControl(
    (fault, { path }) => fault.path === undefined || pathPattern(fault.path).test(path),
  );
}

/** The answer of a fault that needs no real one; undefined for those that spoil or delay a real answer. */
export function faultResponse(fault: Fault): Response | undefined {
  const wait = { 'retry-after': String(fault.retryAfterSeconds ?? 20) };
  switch (fault.kind) {
    case 'rate-limit': {
      const message = `Rate limit reached on requests per min (RPM): Limit 3000, Used 3000, Requested 1. Please try again in ${wait['retry-after']}s.`;
      const headers = {
        ...wait,
        'x-ratelimit-limit-requests': '3000',
        'x-ratelimit-remaining-requests': '0',
      };
      return errorResponse(429, { message, type: 'requests', code: 'rate_limit_exceeded' }, headers);
    }
    case 'no-credit': {
      const message = 'You exceeded your current quota, please check your plan and billing details.';
      return errorResponse(429, { message, type: 'insufficient_quota', code: 'insufficient_quota' });
    }
    case 'wrong-key':
      return wrongKey();
    case 'server-error':
      return errorResponse(fault.status ?? 500, {
        message: 'The server had an error while processing your request.',
        type: 'server_error',
      });
    case 'overloaded':
      return errorResponse(
        503,
        { message: 'The engine is currently overloaded.', type: 'server_error' },
        wait,
      );
    case 'hang':
    case 'truncated':
    case 'latency':
      return undefined;
  }
}
