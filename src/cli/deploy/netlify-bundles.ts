import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { zipFunctions } from '@netlify/zip-it-and-ship-it';
import { unzip } from '../../local/unzip.ts';
import { type Answer, failed, ok } from '../command/findings.ts';

const lambdaHost = fileURLToPath(new URL('../../local/lambda-host.ts', import.meta.url));

/** Nobody listens there: a function must load and answer all the same. */
const env = {
  INNGEST_DEV: '1',
  SUPABASE_URL: 'http://127.0.0.1:9',
  SUPABASE_SECRET_KEY: 'sb_secret_deploy_check',
};

/** Bundles the functions as Netlify does, unpacks each zip, and calls its handler as AWS Lambda does. */
export async function checkNetlifyBundles(root: string, folder: string): Promise<Answer[]> {
  const zips = join(folder, 'netlify');
  await mkdir(zips, { recursive: true });
  const bundles = await zipFunctions(join(root, 'netlify/functions'), zips, {
    archiveFormat: 'zip',
    basePath: root,
  });
  const answers: Answer[] = [];
  for (const { name, path, entryFilename } of bundles) {
    const unpacked = join(zips, 'unpacked', name);
    const files = await unzip(path, unpacked);
    answers.push(await judge(name, files.length, join(unpacked, entryFilename), unpacked));
  }
  return answers;
}

async function judge(name: string, files: number, entry: string, folder: string): Promise<Answer> {
  const todo = 'npm start, and look at the log of the function';
  const { status, problem } = await callHandler(entry, folder, name);
  if (problem !== null) return failed(`${name}: the handler of its zip does not load: ${problem}`, todo);
  return status > 0 && status < 500
    ? ok(`${name}: ${files} files, the handler answers ${status}`)
    : failed(`${name}: the handler of its zip answers ${status}`, todo);
}

async function callHandler(
  entry: string,
  cwd: string,
  name: string,
): Promise<{ status: number; problem: string | null }> {
  const url = `https://example.netlify.app/.netlify/functions/${name}`;
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [lambdaHost, entry, 'GET', url], {
      env,
      cwd,
    });
    const { status } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { status: number };
    return { status, problem: null };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { status: 0, problem: /^\w*Error.*$/m.exec(text)?.[0] ?? text };
  }
}
