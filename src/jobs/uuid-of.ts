import { z } from 'zod';

/**
 * Our uuid of something in a payload, for example `uuidOf('a workspace')`. By a refinement: zod's own message would not say
 * of what.
 */
export const uuidOf = (what: string): z.ZodType<string> =>
  z.string().refine((text) => z.guid().safeParse(text).success, `expected the uuid of ${what}`);
