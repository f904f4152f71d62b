import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { namesOf } from '../../src/cli/new/job-names.ts';
import { catalog } from '../../src/jobs/catalog.ts';
import { findDefinition } from '../../src/queue/find-definition.ts';
import { HelpRequest } from '../../src/cli/command/command-line.ts';
import { root } from '../support/imports.ts';
import { runJobs } from '../support/jobs-command.ts';

/** One command of a page, which may stand in a block or in a sentence. */
export interface Command {
  where: string;
  /** `npm run` script, or `start`, `test`, `ci`, `audit`. */
  script: string;
  args: string[];
}

const packageJson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

/** Where the flags of a script are explained. `jobs` explains its own, command by command. */
const explained: Record<string, string> = {
  start: 'src/cli/command/start-command.ts',
  send: 'src/cli/command/send-command.ts',
  sql: 'src/cli/command/sql-command.ts',
  worker: 'src/cli/command/worker-command.ts',
  'deploy:check': 'src/cli/deploy/deploy-check-command.ts',
  bench: 'bench/run.ts',
  chaos: 'chaos/run.ts',
  fuzz: 'tests/fuzz/run.ts',
};

/** The commands of this package in a text: `npm run x -- …`, `npm start`, `npx hybrid-jobs …`, `hybrid-jobs …`. */
export function commandsIn(where: string, text: string): Command[] {
  const lines = text.replace(/\\\n/g, ' ').split('\n');
  const found = lines.flatMap((line) => [
    ...line.matchAll(/\bnpm (?:run (?:--silent )?([\w:-]+)|(start|test|ci))\b(?: -- ([^|;&#]*))?/g),
    ...line.matchAll(/\b(?:npx )?(hybrid-jobs)()(?: ((?!-)[^|;&#>)]*))?/g),
  ]);
  return found.map(([, script = '', short = '', args = '']) => ({
    where,
    script: script === 'hybrid-jobs' ? 'jobs' : script || short,
    args: wordsOf(args),
  }));
}

/** Words as a shell takes them apart; what stands in quotes is one. */
function wordsOf(text: string): string[] {
  return text.match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
}

/** @returns what does not exist of what the command names */
export async function problemsOf({ where, script, args }: Command): Promise<string[]> {
  if (script === 'ci') return [];
  if (!Object.hasOwn(packageJson.scripts, script)) return [`${where}: there is no script ${script}`];
  const flags = args.filter((arg) => /^--\w/.test(arg));
  const help = script === 'jobs' ? await helpOfJobs(args) : readExplained(script);
  if (help === null) return [`${where}: jobs has no command ${args.join(' ')}`];
  return flags
    .filter((flag) => flag !== '--help' && !help.includes(flag))
    .map((flag) => `${where}: ${script} ${args[0] ?? ''} has no ${flag}`);
}

function readExplained(script: string): string {
  const file = explained[script];
  return file === undefined ? '' : readFileSync(join(root, file), 'utf8');
}

/** Null where there is no such command. */
async function helpOfJobs([name = '--help', more = '']: string[]): Promise<string | null> {
  const words = name === 'schedule' && /^\w/.test(more) ? [name, more] : [name];
  try {
    await runJobs([...words, '--help']);
    return null;
  } catch (error) {
    return error instanceof HelpRequest ? error.message : null;
  }
}

const folders = 'src|tests|docs|supabase|netlify|dashboard|bench|chaos|\\.ci|\\.github|bin';
const aPath = new RegExp(`^(?:${folders})(?:/[\\w.-]+)+/?$`);

/** What follows the command: the event's name and its data. */
function sentBy({ script, args }: Command): string[] {
  if (script === 'send') return args;
  return script === 'jobs' && /^(send|enqueue)$/.test(args[0] ?? '') ? args.slice(1) : [];
}

/** @returns what the job of a `send` or an `enqueue` would refuse of its payload; null where nothing */
export function payloadProblem(command: Command, toCome: readonly string[]): string | null {
  const { where } = command;
  const [name = '', payload] = sentBy(command);
  if (!payload?.startsWith("'{")) return null;
  const definition = findDefinition(catalog, name);
  if (!definition) return toCome.includes(fileOf(name)) ? null : `${where}: no job answers to ${name}`;
  const data: unknown = JSON.parse(payload.slice(1, -1).replaceAll('"…"', `"${crypto.randomUUID()}"`));
  const { error } = definition.payload.safeParse(data);
  return error ? `${where}: ${error.message}` : null;
}

/** The files that `jobs new` writes where a page calls it. */
export function filesToCome(commands: readonly Command[]): string[] {
  return commands
    .filter(({ script, args }) => script === 'jobs' && args[0] === 'new' && args[1] !== undefined)
    .map(({ args }) => fileOf(args[1] ?? ''));
}

function fileOf(type: string): string {
  const { room, file } = namesOf(type);
  return `src/jobs/${room}/${file}.ts`;
}

/** Whether the text is a path of this repository that is not there; what is built aside. */
export function isMissingPath(text: string): boolean {
  if (!aPath.test(text) || /^dashboard\/(dist|public)/.test(text)) return false;
  return !existsSync(join(root, text)) && !existsSync(join(root, `${text}.ts`));
}
