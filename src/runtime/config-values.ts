import { z } from 'zod';
import { headerText } from './secret-keys.ts';

/** What the texts of environment variables may be. */

export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'an http(s) URL' })
  .transform((url) => url.replace(/\/+$/, ''));

export const postgresUrl = z.url({ protocol: /^postgres(ql)?$/, error: 'a postgres:// URL' });

export const secret = z.string('a non-empty secret').regex(headerText, 'a secret in one line without spaces');

export function wholeNumberFrom(least: number) {
  const expected = `a whole number from ${least}`;
  return z.coerce.number(expected).int(expected).min(least, expected);
}

export const count = wholeNumberFrom(1);

const origins = 'origins like https://app.example.com, separated by commas';
export const originList: z.ZodType<string[]> = z
  .string(origins)
  .transform((text) => text.split(',').map((origin) => origin.trim()))
  .refine((list) => list.every(isOrigin), origins);

/** As a browser writes it in its header: nothing else would ever match. */
function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
