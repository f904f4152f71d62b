import { type Read, Unexpected } from './config-values.ts';

/** Environment variables as an entry point hands them over; empty ones count as absent. */
export type EnvRecord = Readonly<Record<string, string | undefined>>;

/** How to read one setting: the variable names that carry it, best first, and what makes its value of their text. */
export interface Setting<Value> {
  names: readonly string[];
  read: Read<Value>;
  /** Shown values help; those of secrets, and of URLs that may hold one, must not be. Default: hidden. */
  shown?: boolean;
}

type Settings = Record<string, Setting<unknown>>;
type Values<S extends Settings> = {
  [Field in keyof S]: S[Field] extends Setting<infer Value> ? Value : never;
};

/** What was read, and under which name each setting was found (null: none, so the default holds). */
export interface Reading<S extends Settings> {
  values: Values<S>;
  foundAs: Record<keyof S, string | null>;
}

/** One or more variables are missing or malformed; the message names every one of them and no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads all settings at once, so that an operator sees every mistake in one message.
 * @throws {ConfigError} `SUPABASE_URL: expected an http(s) URL, got nothing; …`
 */
export function readSettings<const S extends Settings>(env: EnvRecord, settings: S): Reading<S> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  const foundAs: Record<string, string | null> = {};
  for (const [field, setting] of Object.entries(settings)) {
    const name = setting.names.find((candidate) => textOf(env, candidate) !== undefined) ?? null;
    const text = name === null ? undefined : textOf(env, name);
    foundAs[field] = name;
    try {
      values[field] = setting.read(text);
    } catch (error) {
      if (!(error instanceof Unexpected)) throw error;
      problems.push(describe(setting, name, text, error.message));
    }
  }
  if (problems.length > 0) throw new ConfigError(`configuration: ${problems.join('; ')}`);
  return { values: values as Values<S>, foundAs: foundAs as Reading<S>['foundAs'] };
}

function textOf(env: EnvRecord, name: string): string | undefined {
  const text = env[name]?.trim();
  return text === '' ? undefined : text;
}

function describe(
  setting: Setting<unknown>,
  name: string | null,
  text: string | undefined,
  expected: string,
): string {
  const [first, ...others] = setting.names;
  const label = name ?? (others.length === 0 ? first : `${first} (or ${others.join(', ')})`);
  const got =
    text === undefined ? 'nothing' : setting.shown ? JSON.stringify(text) : 'something else (not shown)';
  return `${label}: expected ${expected}, got ${got}`;
}
