import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deployCheck } from '../src/cli/deploy/deploy-check-command.ts';
import { checkEdgeUpload } from '../src/cli/deploy/edge-upload.ts';
import { checkRedirects } from '../src/cli/deploy/redirects.ts';
import type { Finding } from '../src/cli/command/findings.ts';
import { root } from './support/imports.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deploy-check-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The supabase CLI starts in seconds on a quiet machine, and is started four times. */
const patience = 900_000;

test(
  'this repository could be deployed, as far as this machine can tell',
  async () => {
    const printed: string[] = [];
    const path = process.env['PATH'] ?? '';
    // The Netlify functions have a test of their own, which knows more of them.
    const args = ['--only', 'redirects,edge,schema', '--json'];
    const code = await deployCheck({ args, path, print: (text) => printed.push(text) });
    const { findings } = JSON.parse(printed.join('')) as { findings: Finding[] };
    expect(findings.filter(({ state }) => state === 'failed')).toEqual([]);
    expect(code).toBe(0);
    const found = (check: string) =>
      findings.filter((each) => each.check === check).map((finding) => finding.found);
    expect(found('Netlify redirects')[0]).toMatch(/redirects lead to functions that exist/);
    expect(found('Edge Functions').join('\n')).toMatch(/process-job: all \d{3} files of its import graph/);
    expect(found('advisors')).toEqual(['supabase db advisors: no warnings']);
    expect(found('generated types')).toHaveLength(1);
    expect(found('not checked here')).not.toEqual([]);
  },
  patience,
);

describe('what is wrong is named', () => {
  test('a file that the upload leaves out', async () => {
    const uploadsOnlyTheEntry = async (args: readonly string[]) => {
      const profile = await readFile(args[args.indexOf('--profile') + 1] ?? '', 'utf8');
      const url = /api_url: (\S+)/.exec(profile)?.[1];
      for (const slug of ['inngest-prod', 'process-job']) {
        const form = new FormData();
        form.append('file', new Blob(['']), `supabase/functions/${slug}/index.ts`);
        await fetch(`${url}/v1/projects/x/functions/deploy?slug=${slug}`, { method: 'POST', body: form });
      }
      return { code: 0, stdout: '', stderr: '' };
    };
    const answers = await checkEdgeUpload(root, folder, uploadsOnlyTheEntry);
    expect(answers.map(({ state }) => state)).toEqual(['failed', 'failed']);
    expect(answers[0]?.found).toMatch(
      /inngest-prod: \d+ of \d+ files are not uploaded, such as supabase\/functions/,
    );
  });

  test('a CLI that refuses', async () => {
    const refuses = () => Promise.resolve({ code: 1, stdout: '', stderr: 'no such project\n' });
    expect(await checkEdgeUpload(root, folder, refuses)).toMatchObject([
      { state: 'failed', found: 'supabase functions deploy: no such project' },
    ]);
  });

  test('a redirect to a function that does not exist', async () => {
    await mkdir(join(folder, 'netlify/functions'), { recursive: true });
    await writeFile(join(folder, 'netlify/functions/here.ts'), '');
    const redirect = (from: string, to: string) =>
      `[[redirects]]\nfrom = "${from}"\nto = "${to}"\nstatus = 200\n`;
    const toml = [
      redirect('/api/here', '/.netlify/functions/here'),
      redirect('/api/gone', '/.netlify/functions/gone/:splat'),
      redirect('/*', '/index.html'),
    ];
    await writeFile(join(folder, 'netlify.toml'), `[build]\npublish = "site"\n${toml.join('')}`);
    expect(await checkRedirects(folder)).toMatchObject([
      { state: 'failed', found: expect.stringContaining('there is no function gone') as string },
      { state: 'skipped', found: expect.stringContaining('/index.html, which is not built here') as string },
    ]);
  });
});

test('a workflow for forks runs the gate', async () => {
  expect(await readFile(join(root, '.github/workflows/check.yml'), 'utf8')).toContain('run: .ci/run');
});
