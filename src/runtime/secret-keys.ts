import { z } from 'zod';

const expected = 'a JSON dictionary or list of secret keys';
const keyedEntry = z.object({ api_key: z.string().min(1) }).transform((entry) => entry.api_key);
const entry = z.union([z.string().min(1), keyedEntry]);

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
