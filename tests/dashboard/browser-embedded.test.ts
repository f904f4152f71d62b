import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createAdaptorServer } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listen, type Listening } from '../../src/local/listen.ts';
import { useDashboard } from '../support/dashboard.ts';
import { testKeys } from '../support/drivers.ts';
import { root } from '../support/imports.ts';

/**
 * What `npm pack` packs, installed in an application of somebody else: a few lines that show the monitor with their own
 * client, checked by their compiler and built by their bundler.
 */

const dashboard = useDashboard();
let app: string;
let site: Listening | undefined;

const run = promisify(execFile);
const bin = (name: string): string => join(root, 'node_modules/.bin', name);
const packages = ['react', 'react-dom', '@supabase/supabase-js', '@types/react', '@types/react-dom'];

const main = (supabaseUrl: string) => `
import { createClient } from '@supabase/supabase-js';
import { createRoot } from 'react-dom/client';
import { JobMonitor } from 'hybrid-jobs/job-monitor';
import 'hybrid-jobs/job-monitor.css';

const supabase = createClient('${supabaseUrl}', '${testKeys.publishable}');
const code = new URLSearchParams(location.search).get('code');
if (code) await supabase.auth.verifyOtp({ token_hash: code, type: 'magiclink' });
createRoot(document.getElementById('root')!).render(<JobMonitor client={supabase} />);
// @ts-expect-error A client is no number.
export const refused = <JobMonitor client={1} />;
`;

const compilerOptions = {
  ...{ target: 'es2022', module: 'esnext', moduleResolution: 'bundler', jsx: 'react-jsx' },
  ...{ strict: true, noEmit: true, types: [], skipLibCheck: true, noUncheckedSideEffectImports: false },
};

beforeAll(async () => {
  app = await mkdtemp(join(tmpdir(), 'embedding-'));
  await install();
  await writeFile(join(app, 'main.tsx'), main(dashboard.host().gatewayUrl));
  await writeFile(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.tsx'] }));
  const page = '<!doctype html><html lang="en"><title>App</title><div id="root"></div>';
  await writeFile(join(app, 'index.html'), `${page}<script type="module" src="/main.tsx"></script></html>`);
  await Promise.all([
    expect(run(bin('tsc'), ['-p', app])).resolves.toMatchObject({ stdout: '' }),
    run(bin('vite'), ['build', app, '--configLoader', 'native', '--target', 'es2022']),
  ]);
  const files = new Hono().use(serveStatic({ root: join(app, 'dist') }));
  site = await listen(createAdaptorServer({ fetch: files.fetch }));
});
afterAll(async () => {
  await site?.close();
  await rm(app, { recursive: true, force: true });
});

async function install(): Promise<void> {
  const modules = join(app, 'node_modules');
  await mkdir(join(modules, 'hybrid-jobs'), { recursive: true });
  await run('npm', ['pack', '--pack-destination', app], { cwd: root });
  const [archive = ''] = (await readdir(app)).filter((name) => name.endsWith('.tgz'));
  await run('tar', ['-xzf', join(app, archive), '-C', join(modules, 'hybrid-jobs'), '--strip-components=1']);
  for (const name of packages) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(root, 'node_modules', name), join(modules, name));
  }
}

test('the monitor runs in an application that has nothing of ours but the package', async () => {
  const url = site?.url ?? '';
  await dashboard.database().pool.query(`select enqueue_background_jobs('[{"type": "system/ping"}]')`);
  const page = await dashboard.newPage();
  await page.goto(url);
  await page.getByRole('button', { name: 'Send me a link' }).waitFor();

  const code = new URLSearchParams(new URL(dashboard.host().signInUrl()).hash.slice(1)).get('token_hash');
  await page.goto(`${url}/?code=${code ?? ''}`);
  await page.getByRole('img', { name: /^Ended jobs, last hour: \d/ }).waitFor();
  await page.getByRole('link', { name: 'Jobs', exact: true }).click();
  await page.getByRole('table', { name: 'Jobs' }).getByText('system/ping').waitFor();
  const header = page.getByRole('navigation', { name: 'Pages' });
  expect(await header.evaluate((element) => getComputedStyle(element).display), 'its styles').toBe('flex');
});
