import { z } from 'zod';

/** What a header can carry. An error about any other header value shows it. */
export const headerText = /^[\x21-\x7e]+$/;

const expected = 'a JSON dictionary or list of secret keys';
const key = z.string().regex(headerText);
const keyedEntry = z.object({ api_key: key }).transform((entry) => entry.api_key);
const entry = z.union([key, keyedEntry]);

/**
 * `SUPABASE_SECRET_KEYS` as the platform sets it: `{"default": "sb_secret_…", …}`; a list of keys is taken too.
 * The key named `default` comes first.
 */
export const secretKeyList: z.ZodType<string[]> = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue(expected);
      return z.NEVER;
    }
  })
  .pipe(z.union([z.array(entry).min(1), z.record(z.string(), entry).transform(defaultFirst)], expected))
  .refine((keys) => keys.length > 0, expected);

function defaultFirst(keys: Record<string, string>): string[] {
  const { default: first, ...others } = keys;
  return first === undefined ? Object.values(others) : [first, ...Object.values(others)];
}
