import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readNetlifyConfig } from '../../local/netlify-config.ts';
import { type Answer, failed, ok, skipped } from '../command/findings.ts';

/** Every rewrite of `netlify.toml` leads to a function that exists, or to a file of the site. */
export async function checkRedirects(root: string): Promise<Answer[]> {
  const config = readNetlifyConfig(await readFile(join(root, 'netlify.toml'), 'utf8'));
  const functions = new Set(
    (await readdir(join(root, config.functionsFolder))).map((file) => file.replace(/\.ts$/, '')),
  );
  const answers = await Promise.all(
    config.redirects.map(async ({ from, to }) => {
      const name = /^\/\.netlify\/functions\/([^/]+)/.exec(to)?.[1];
      if (name === undefined) return await toFile(root, config.publishFolder, from, to);
      return functions.has(name)
        ? null
        : failed(
            `${from} leads to ${to}, but there is no function ${name}`,
            `mend netlify.toml, or add ${config.functionsFolder}/${name}.ts`,
          );
    }),
  );
  const problems = answers.filter((answer) => answer !== null);
  return problems.length > 0
    ? problems
    : [ok(`${config.redirects.length} redirects lead to functions that exist`)];
}

async function toFile(
  root: string,
  publish: string | null,
  from: string,
  to: string,
): Promise<Answer | null> {
  if (/^https?:\/\//.test(to) || to.includes(':')) return null;
  const isThere = await access(join(root, publish ?? '.', to)).then(
    () => true,
    () => false,
  );
  return isThere
    ? null
    : skipped(`${from} leads to ${to}, which is not built here`, 'npm run build, then check again');
}
