import { redactTokens } from '../runtime/redact.ts';
import { makeTextStorable } from './storable-json.ts';

/** What a failed attempt leaves behind in `background_job_attempts.error`. Holds no secret and no foreign property. */
export interface JobErrorRecord {
  name: string;
  message: string;
  stack?: string;
  /** The chain of `cause`s, nearest first. */
  causes?: { name: string; message: string }[];
}

const messageLimit = 10_000;
const stackLimit = 20_000;
const causeLimit = 5;

/**
 * Describes whatever a job threw: any value, with any number of hostile properties.
 * Messages are cut at 10,000 characters, stacks at 20,000, cause chains at five; tokens are redacted.
 */
export function describeError(thrown: unknown): JobErrorRecord {
  const stack = readText(thrown, 'stack');
  const causes = describeCauses(thrown);
  return {
    ...nameAndMessage(thrown),
    ...(stack ? { stack: clean(stack, stackLimit) } : {}),
    ...(causes.length > 0 ? { causes } : {}),
  };
}

function nameAndMessage(thrown: unknown): { name: string; message: string } {
  if (!isObject(thrown))
    return { name: 'Error', message: clean(`thrown value: ${print(thrown)}`, messageLimit) };
  const name = readText(thrown, 'name') ?? 'Error';
  const message = readText(thrown, 'message');
  return {
    name: clean(name, 200),
    message: clean(message ? message : `${name} without a message`, messageLimit),
  };
}

function describeCauses(thrown: unknown): { name: string; message: string }[] {
  const causes: { name: string; message: string }[] = [];
  const seen = new Set<unknown>([thrown]);
  for (let cause = read(thrown, 'cause'); cause != null && !seen.has(cause); cause = read(cause, 'cause')) {
    if (causes.length === causeLimit) break;
    seen.add(cause);
    causes.push(nameAndMessage(cause));
  }
  return causes;
}

/** The error's own wish when to be retried, in whole seconds; undefined when it has none. */
export function retryAfterSeconds(thrown: unknown): number | undefined {
  const seconds = read(thrown, 'retryAfterSeconds');
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds < 0) return undefined;
  return Math.min(Math.ceil(seconds), 2 ** 31 - 1);
}

/** Reads a property of a value that may be anything, whose getters and proxies may throw. */
function read(value: unknown, property: string): unknown {
  if (!isObject(value)) return undefined;
  try {
    return (value as Record<string, unknown>)[property];
  } catch {
    return undefined;
  }
}

function readText(value: unknown, property: string): string | undefined {
  const text = read(value, property);
  return typeof text === 'string' ? text : undefined;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function print(value: unknown): string {
  return typeof value === 'string' ? value : String(value);
}

function clean(text: string, limit: number): string {
  // Cut generously before redacting, so that a token on the limit is not cut into something unrecognisable.
  const redacted = redactTokens(text.slice(0, limit * 2));
  const cut =
    redacted.length > limit || text.length > limit * 2 ? `${redacted.slice(0, limit - 1)}…` : redacted;
  return makeTextStorable(cut);
}
