import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blocksIn, type Block } from './pages.ts';
import { copyRepository, type RepositoryCopy } from './repository-copy.ts';

/** Blocks that are not for here. */
const elsewhere = [
  // tests/start.test.ts starts and stops; `.ci/run` installs and tests.
  /^npm (ci|start|test)\b/m,
  // It does not end: tests/operations-page.test.ts.
  /^npm run worker\b/m,
  // The scaffolded test is the one in src/jobs/example but for its names: tests/newcomer.test.ts runs it.
  /^npx vitest\b/m,
  // Needs a deployment.
  /https:\/\/(<|…)/,
];

const isForHere = ({ code }: Block) => !elsewhere.some((pattern) => pattern.test(code));
const scaffolds = ({ code }: Block) => /^npm run jobs -- new /.test(code);
const walked = blocksIn('sh').filter(isForHere);
const pages = [...new Set(walked.map(({ page }) => page))];

describe('the commands of the pages, on a stack', () => {
  let copy: RepositoryCopy;
  beforeAll(async () => {
    copy = await copyRepository();
    // Before the only start, since a new type is known from the next one on.
    for (const { code } of walked.filter(scaffolds)) await copy.run(code);
    await copy.start();
  });
  afterAll(() => copy.remove());

  /** What several pages say alike is done once. */
  const done = new Map<string, Promise<string>>();
  const run = async (code: string): Promise<string> => {
    const running = done.get(code) ?? copy.run(code);
    done.set(code, running);
    return await running;
  };

  test.concurrent.each(pages)('of %s do as they say, from the first to the last', async (page) => {
    for (const { where, code } of walked.filter((block) => block.page === page && !scaffolds(block)))
      await expect(run(code), where).resolves.toBeDefined();
  });
});
