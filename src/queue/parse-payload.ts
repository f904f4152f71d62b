import type { z } from 'zod';
import type { JobDefinition } from '../jobs/define-job.ts';
import { NonRetryableError } from '../jobs/outcomes.ts';
import { redactTokens } from '../runtime/redact.ts';

/** Only a short word is repeated in an error: anything else may be private. */
const shortWord = /^[\w.:/-]{1,24}$/;

/**
 * Parses a payload with the definition's schema: at once, unless the schema must wait for something.
 * @throws {NonRetryableError} names the job type and, for every wrong field, what was expected and what came
 */
export function parsePayload<Payload>(
  definition: JobDefinition<Payload>,
  payload: unknown,
): Payload | Promise<Payload> {
  // By the standard that zod's schemas follow: zod itself is loaded with the jobs.
  const parsed = definition.payload['~standard'].validate(payload);
  if (parsed instanceof Promise) return parsed.then((settled) => accept(settled, definition, payload));
  return accept(parsed, definition, payload);
}

/** What a schema's standard interface answers. */
type Validated<Payload> = { value: Payload; issues?: undefined } | { issues: readonly unknown[] };

function accept<Payload>(
  parsed: Validated<Payload>,
  definition: JobDefinition<Payload>,
  payload: unknown,
): Payload {
  if (!parsed.issues) return parsed.value;
  const problems = (parsed.issues as readonly Issue[]).map((issue) => describeIssue(issue, payload));
  throw new NonRetryableError(`job ${definition.type}: ${[...new Set(problems)].join('; ')}`);
}

type Issue = z.core.$ZodIssue;

function describeIssue(issue: Issue, payload: unknown): string {
  if (issue.code === 'invalid_union') return describeUnion(issue, payload);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `${fieldName([...issue.path, key])}: unknown field`).join('; ');
  const value = valueAt(payload, issue.path);
  return `${fieldName(issue.path)}: ${expectation(issue)}, got ${describe(value, issue.code)}`;
}

function describe(value: unknown, wrong: Issue['code']): string {
  if (wrong === 'invalid_value') return describeChoice(value);
  const isOutOfBounds = wrong === 'too_small' || wrong === 'too_big';
  return isOutOfBounds && typeof value === 'number' ? String(value) : describeValue(value);
}

function expectation(issue: Issue): string {
  if (issue.code === 'invalid_type') return `expected ${issue.expected}`;
  if (issue.code === 'invalid_value')
    return `expected ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
  if (issue.code === 'too_small')
    return `expected ${issue.origin} ${issue.inclusive === false ? 'above' : 'of at least'} ${issue.minimum}`;
  if (issue.code === 'too_big')
    return `expected ${issue.origin} ${issue.inclusive === false ? 'below' : 'of at most'} ${issue.maximum}`;
  if (issue.code === 'invalid_format') return `expected ${issue.format}`;
  return issue.message;
}

/** Of the alternatives, the one that came closest: it failed deepest, or in the fewest places. */
function describeUnion(issue: Extract<Issue, { code: 'invalid_union' }>, payload: unknown): string {
  const depth = (issues: Issue[]): number => Math.max(...issues.map(({ path }) => path.length));
  const branches = issue.errors.filter((issues) => issues.length > 0);
  const [closest] = branches.sort((a, b) => depth(b) - depth(a) || a.length - b.length);
  if (!closest) return `${fieldName(issue.path)}: ${issue.message}`;
  return closest
    .map((inner) => describeIssue({ ...inner, path: [...issue.path, ...inner.path] }, payload))
    .join('; ');
}

function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (name, key) => (typeof key === 'number' ? `${name}[${key}]` : `${name}.${String(key)}`),
    'payload',
  );
}

function valueAt(payload: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    payload,
  );
}

function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

function describeChoice(value: unknown): string {
  return typeof value === 'string' && shortWord.test(value)
    ? JSON.stringify(redactTokens(value))
    : describeValue(value);
}
