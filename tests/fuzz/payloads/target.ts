import fc from 'fast-check';
import type { JobDefinition } from '../../../src/jobs/define-job.ts';
import { catalog } from '../../../src/jobs/catalog.ts';
import { NonRetryableError } from '../../../src/jobs/outcomes.ts';
import { parsePayload } from '../../../src/queue/parse-payload.ts';
import type { FuzzTarget, OpenTarget } from '../target.ts';
import { jsonTree, type JsonValue } from '../values/json-tree.ts';
import { spoiled } from '../values/spoiled.ts';
import { unholdableText } from '../values/text.ts';

/** Keys that payloads are made of. */
const words = [
  ...[
    'repository',
    'owner',
    'name',
    'repo',
    'github_id',
    'repositoryId',
    'pr_number',
    'prNumber',
    'prNumbers',
    'issue_number',
  ],
  ...[
    'since',
    'days',
    'maxPages',
    'api',
    'jobId',
    'userId',
    'repoId',
    'workspaceId',
    'workspace_id',
    'items',
    'itemIds',
    'type',
    'id',
  ],
  ...[
    'limit',
    'forceRegenerate',
    'maxAgeSeconds',
    'full',
    'timeRange',
    'event',
    'function_id',
    'run_id',
    'reason',
    'job_id',
  ],
];

const samples: JsonValue[] = [
  { repository: { owner: 'octo-org', name: 'known', github_id: 1 }, pr_number: 1 },
  { repository: 'octo-org/known', prNumbers: [1, 2] },
  { owner: 'octo-org', repo: 'known', days: 30, api: 'rest' },
  { repositoryId: crypto.randomUUID(), since: '2026-11-22T12:00:00Z' },
  { jobId: crypto.randomUUID(), userId: crypto.randomUUID(), repoId: crypto.randomUUID() },
  { workspaceId: crypto.randomUUID(), timeRange: '30d' },
];

const longestMessage = 20_000;

/**
 * Payloads for every job kind: each is parsed, or refused for good with a message that names the job type, is of bounded
 * length and in one line; no prototype is changed, and the payload itself is left as it was.
 */
export const payloads: FuzzTarget = {
  name: 'payloads',
  weight: 1,
  open: () => Promise.resolve(open()),
};

function open(): OpenTarget {
  const answers = { parsed: 0, refused: 0 };
  const tree = jsonTree({ words, text: unholdableText });
  const payload = fc.oneof(tree, ...samples.map((sample) => spoiled(sample, tree)));
  const property = fc.asyncProperty(
    fc.record({ type: fc.constantFrom(...catalog.map(({ type }) => type)), payload }),
    async ({ type, payload: value }) => {
      const definition = catalog.find((each) => each.type === type) as JobDefinition;
      const before = JSON.stringify(value);
      try {
        await parsePayload(definition, value);
        answers.parsed += 1;
      } catch (error) {
        requireRefusal(type, error);
        answers.refused += 1;
      }
      if (JSON.stringify(value) !== before) throw new Error(`${type} changed the payload that it was given`);
      if ('polluted' in {}) throw new Error(`${type} changed Object.prototype`);
    },
  );
  return {
    property,
    summary: () =>
      `${catalog.length} job kinds, ${answers.parsed} payloads parsed, ${answers.refused} refused`,
    close: () => Promise.resolve(),
  };
}

function requireRefusal(type: string, error: unknown): void {
  if (!(error instanceof NonRetryableError)) throw error;
  const { message } = error;
  if (!message.startsWith(`job ${type}: payload`))
    throw new Error(`expected the field to be named, got ${message}`);
  if (message.length > longestMessage) throw new Error(`${type} refused in ${message.length} characters`);
  if (/[\n\r]/.test(message)) throw new Error(`${type} refused in several lines: ${JSON.stringify(message)}`);
}
