import { parse } from 'smol-toml';
import { z } from 'zod';

/** What this project needs to know of `netlify.toml`. */
export interface NetlifyConfig {
  /** Relative to the folder of `netlify.toml`. */
  functionsFolder: string;
  /** Relative to the folder of `netlify.toml`. Null: the whole repository would be the site. */
  publishFolder: string | null;
  redirects: readonly Redirect[];
  /** The path that serves `path`, by the first rewrite that matches; `path` itself when none does. */
  rewrite(path: string): string;
}

interface Redirect {
  from: string;
  to: string;
  status: number;
}

const schema = z.object({
  build: z.object({ publish: z.string().optional() }).default({}),
  functions: z.object({ directory: z.string() }).default({ directory: 'netlify/functions' }),
  redirects: z
    .array(z.object({ from: z.string(), to: z.string(), status: z.number().default(301) }))
    .default([]),
});

/**
 * Reads the functions' folder and the rewrites (redirects with status 200; `/*` and `:splat` as Netlify has them).
 * @throws {Error} the text is no TOML, or a field has the wrong type
 */
export function readNetlifyConfig(toml: string): NetlifyConfig {
  const { build, functions, redirects } = schema.parse(parse(toml));
  const rewrites = redirects.filter(({ status }) => status === 200);
  return {
    functionsFolder: functions.directory,
    publishFolder: build.publish ?? null,
    redirects,
    rewrite(path) {
      for (const { from, to } of rewrites) {
        const target = match(path, from, to);
        if (target !== undefined) return target;
      }
      return path;
    },
  };
}

function match(path: string, from: string, to: string): string | undefined {
  if (!from.endsWith('/*')) return path === from || path === `${from}/` ? to : undefined;
  const prefix = from.slice(0, -1);
  return path.startsWith(prefix) ? to.replace(':splat', path.slice(prefix.length)) : undefined;
}
