import { catalog } from '../../jobs/catalog.ts';
import type { JobDefinition } from '../../jobs/define-job.ts';
import { findDefinition } from '../../queue/find-definition.ts';
import { UsageError } from '../command/command-line.ts';

/** What commands read from the command line. Everything throws {@link UsageError}, naming what is wrong. */

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function refuseOperands(positionals: readonly string[], help: string): void {
  if (positionals.length > 0)
    throw new UsageError(`Expected no arguments, got ${positionals.length}\n\n${help}`);
}

/** The one operand of a command. */
export function readOnly(positionals: readonly string[], what: string, help: string): string {
  const [value, ...rest] = positionals;
  if (value === undefined || rest.length > 0)
    throw new UsageError(`Expected ${what}, got ${positionals.length} arguments\n\n${help}`);
  return value;
}

export function readJobId(text: string): string {
  if (uuid.test(text)) return text.toLowerCase();
  throw new UsageError(`job id: expected a uuid, got "${text}"`);
}

/** One job id or more, in order, none twice. */
export function readJobIds(positionals: readonly string[], help: string): string[] {
  if (positionals.length === 0) throw new UsageError(`Expected the id of a job, got nothing\n\n${help}`);
  return [...new Set(positionals.map(readJobId))];
}

/** A job kind of the catalog, by its type or an alias. */
export function readDefinition(name: string, what = 'type'): JobDefinition {
  const definition = findDefinition(catalog, name);
  if (definition) return definition;
  throw new UsageError(
    `${what}: unknown job type ${name}, expected one of\n${catalog.map(({ type }) => `  ${type}`).join('\n')}`,
  );
}

/** A type under which jobs are stored: that of the catalog for an alias; else as given, for one that no definition knows. */
export function canonicalType(name: string): string {
  return findDefinition(catalog, name)?.type ?? name;
}

export function readNumber(
  flag: string,
  text: string,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isInteger(number) && number >= least && number <= most) return number;
  throw new UsageError(`${flag}: expected a whole number ${boundsOf(least, most)}, got "${text}"`);
}

const boundsOf = (least: number, most: number): string =>
  most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;

export function readChoice<const Choice extends string>(
  flag: string,
  text: string,
  choices: readonly Choice[],
): Choice {
  const choice = choices.find((each) => each === text);
  if (choice !== undefined) return choice;
  throw new UsageError(
    `${flag}: expected ${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}, got "${text}"`,
  );
}

export function readJsonObject(what: string, text: string): Record<string, unknown> {
  const value = parseJson(what, text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new UsageError(`${what}: expected a JSON object like '{"hello":"world"}', got ${text}`);
}

function parseJson(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`${what}: expected JSON, got ${text}\n(${reason})`, { cause });
  }
}
