import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';

/** What the page needs to know before it can ask; nothing in it is secret. */
export interface DashboardConfig {
  supabaseUrl: string;
  /** Null where the environment names none: the page says what is missing. */
  publishableKey: string | null;
  /** True: sign-in is by the link that `npm start` prints. */
  local: boolean;
  /** Where runs of Inngest are shown; null: nowhere. */
  inngestUrl: string | null;
  githubUrl: string;
}

/**
 * Serves the built dashboard below `/dashboard/`, with `config.json` made from `config`. A path without a file is the
 * page's own. Whoever asks while the dashboard is being built waits for it.
 *
 * @param folder - of the built site; rejects when it could not be built
 */
export function createDashboardSite(folder: () => Promise<string>, config: DashboardConfig): Hono {
  const site = new Hono();
  site.get('/dashboard', (c) => c.redirect('/dashboard/'));
  site.get('/dashboard/config.json', (c) => c.json(config));
  site.get('/dashboard/*', async (c, next) => {
    const root = await folder();
    const file = serveStatic({ root, rewriteRequestPath: (path) => path.slice('/dashboard'.length) });
    const isFile = /\.[a-z\d]+$/i.test(c.req.path);
    // A page is not kept: it names the files of its own build.
    if (!isFile) c.header('cache-control', 'no-cache');
    const response = await (isFile ? file : serveStatic({ path: `${root}/index.html` }))(c, next);
    return response ?? c.text('Not Found', 404);
  });
  site.onError((error, c) => c.text(`The dashboard could not be built.\n\n${error.message}`, 500));
  return site;
}
