import { NonRetryableError } from '../jobs/outcomes.ts';
import { redactTokens } from '../runtime/redact.ts';

export interface StorableJson {
  /** What a reader of the stored value will see. */
  value: unknown;
  /** Size as JSON in UTF-8. */
  bytes: number;
}

/**
 * Turns a job's result or a step's output into the JSON value that Postgres will give back: undefined becomes null,
 * dates become strings, and characters that `jsonb` refuses (U+0000, lone surrogates) become U+FFFD.
 * @param what - names the value in an error, for example `result`
 * @param limitBytes - largest JSON accepted
 * @throws {NonRetryableError} the value has no JSON form (BigInt, cycle, a throwing `toJSON`) or is too large
 */
export function toStorableJson(what: string, value: unknown, limitBytes: number): StorableJson {
  if (value === undefined || value === null) return nothing();
  return readBack(what, stringify(what, value), limitBytes);
}

/**
 * The same for what a job brings forth, its result and the outputs of its steps: what looks like a key or a token is
 * hidden, for rows are read by more people than keys are for. Payloads are left alone: they are what a sender wanted.
 */
export function toShownJson(what: string, value: unknown, limitBytes: number): StorableJson {
  if (value === undefined || value === null) return nothing();
  const json = stringify(what, value);
  // No token reaches over a quotation mark or ends in an escape, so it remains JSON.
  return readBack(what, json.length > limitBytes ? json : redactTokens(json), limitBytes);
}

/** Most jobs end so: nothing is written out and read again. */
function nothing(): StorableJson {
  return { value: null, bytes: 4 };
}

function readBack(what: string, json: string, limitBytes: number): StorableJson {
  // A character is a byte at least. What is far too large is not copied once more: the others beside it need the room.
  const bytes = json.length > limitBytes ? json.length : new TextEncoder().encode(json).byteLength;
  if (bytes > limitBytes)
    throw new NonRetryableError(`${what}: expected at most ${limitBytes} bytes of JSON, got ${bytes}`);
  // JSON.stringify escapes whatever would have to be replaced.
  const parsed: unknown = json.includes('\\u')
    ? JSON.parse(json, (_key, part: unknown) => makeStorable(part))
    : JSON.parse(json);
  return { value: parsed, bytes };
}

function stringify(what: string, value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n', 1)[0] : 'its toJSON threw';
    throw new NonRetryableError(`${what}: expected a value that has a JSON form: ${reason}`, { cause });
  }
}

function makeStorable(part: unknown): unknown {
  if (typeof part === 'string') return makeTextStorable(part);
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
  const keys = Object.keys(part);
  if (keys.every((key) => makeTextStorable(key) === key)) return part;
  return Object.fromEntries(Object.entries(part).map(([key, entry]) => [makeTextStorable(key), entry]));
}

/** Replaces what neither `text` nor `jsonb` can hold: U+0000 and lone surrogates. */
export function makeTextStorable(text: string): string {
  return text.replaceAll('\u0000', '\uFFFD').toWellFormed();
}
