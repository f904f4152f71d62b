import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Logger } from '../runtime/logger.ts';
import { listen } from './listen.ts';
import { readNetlifyConfig, type NetlifyConfig } from './netlify-config.ts';

export interface NetlifyOptions {
  /** Folder with `netlify.toml`. */
  root: string;
  /** Preferred TCP port on 127.0.0.1; another free one is taken when it is busy. */
  port?: number;
  /** The site beside the functions; what it has no path for, the functions answer. Default: there is none. */
  site?: Hono;
  log: Logger;
}

export interface Netlify {
  url: string;
  /** Names of the functions that it serves. */
  functions: string[];
  close(): Promise<void>;
}

type NetlifyFunction = (request: Request) => Response | Promise<Response>;

/** Netlify's limit of a synchronous function (docs.netlify.com/build/functions/overview). */
const BODY_LIMIT_BYTES = 6 * 1024 * 1024;

/**
 * Serves the functions of `netlify/functions` in this process, as Netlify serves them: at `/.netlify/functions/<name>`,
 * below it, and where the rewrites of `netlify.toml` lead to them; the function sees the address that was asked for.
 * Netlify's time limit and bundling are not imitated.
 *
 * @throws {Error} a function has no default export, or `netlify.toml` is malformed
 */
export async function startNetlify({ root, port, site, log }: NetlifyOptions): Promise<Netlify> {
  const config = readNetlifyConfig(await readFile(join(root, 'netlify.toml'), 'utf8'));
  const functions = await loadFunctions(join(root, config.functionsFolder));
  const server = createAdaptorServer({ fetch: createApp(functions, config, site, log).fetch });
  return { ...(await listen(server, port)), functions: [...functions.keys()] };
}

async function loadFunctions(folder: string): Promise<Map<string, NetlifyFunction>> {
  const files = (await readdir(folder)).filter((file) => /(?<!\.test|\.d)\.ts$/.test(file)).sort();
  const functions = new Map<string, NetlifyFunction>();
  for (const file of files) {
    const module = (await import(pathToFileURL(join(folder, file)).href)) as { default?: unknown };
    if (typeof module.default !== 'function')
      throw new Error(`${file}: expected a function as default export, got ${typeof module.default}`);
    functions.set(file.slice(0, -'.ts'.length), module.default as NetlifyFunction);
  }
  return functions;
}

function createApp(
  functions: Map<string, NetlifyFunction>,
  config: NetlifyConfig,
  site: Hono | undefined,
  log: Logger,
): Hono {
  const app = new Hono();
  if (site) app.route('/', site);
  const tooLarge = bodyLimit({
    maxSize: BODY_LIMIT_BYTES,
    onError: (c) => c.text('Request body is larger than 6 MB', 413),
  });
  app.all('*', tooLarge, async (c) => {
    const [, name = ''] = /^\/\.netlify\/functions\/([^/]+)(?:\/.*)?$/.exec(config.rewrite(c.req.path)) ?? [];
    const handler = functions.get(name);
    return handler ? await handler(c.req.raw) : c.text('Not Found', 404);
  });
  app.onError((error, c) => {
    log.error({ err: error, path: c.req.path }, 'a Netlify function threw');
    return c.json({ errorType: error.name, errorMessage: error.message }, 500);
  });
  return app;
}
