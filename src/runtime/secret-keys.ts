import { headerText, Unexpected } from './config-values.ts';

/**
 * `SUPABASE_SECRET_KEYS` as the platform sets it: `{"default": "sb_secret_…", …}`; a list of keys is taken too.
 * The key named `default` comes first.
 * @throws {Unexpected} it is neither, or empty
 */
export function secretKeyList(text: string): string[] {
  const keys = entriesOf(parse(text)).map(keyOf);
  if (keys.length === 0 || !keys.every((key) => key !== undefined))
    throw new Unexpected('a JSON dictionary or list of secret keys');
  return keys;
}

/** Undefined when it is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function entriesOf(parsed: unknown): unknown[] {
  if (Array.isArray(parsed)) return parsed;
  if (typeof parsed !== 'object' || parsed === null) return [];
  const { default: first, ...others } = parsed as Record<string, unknown>;
  return first === undefined ? Object.values(others) : [first, ...Object.values(others)];
}

/** Undefined when it is no key that a header can carry. */
function keyOf(entry: unknown): string | undefined {
  const key = typeof entry === 'object' && entry !== null && 'api_key' in entry ? entry.api_key : entry;
  return typeof key === 'string' && headerText.test(key) ? key : undefined;
}
