import { textTable } from '../../local/text-table.ts';

/** What one check of a deployment, or of a deploy to come, has found. */
export interface Finding {
  check: string;
  /** `skipped`: it could not look. */
  state: 'ok' | 'warning' | 'failed' | 'skipped';
  found: string;
  /** Null where nothing is to be done. */
  todo: string | null;
}

export type Answer = Omit<Finding, 'check'>;

export const ok = (found: string): Answer => ({ state: 'ok', found, todo: null });
export const warning = (found: string, todo: string): Answer => ({ state: 'warning', found, todo });
export const failed = (found: string, todo: string): Answer => ({ state: 'failed', found, todo });
export const skipped = (found: string, todo: string): Answer => ({ state: 'skipped', found, todo });

/** Runs checks one after the other; one that throws has failed, and the others go on. */
export async function runChecks(
  checks: Readonly<Record<string, () => Promise<Answer[]>>>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [check, look] of Object.entries(checks)) {
    const answers = await look().catch((error: unknown) => [
      failed(describe(error), 'mend what the message names'),
    ]);
    findings.push(...answers.map((answer) => ({ check, ...answer })));
  }
  return findings;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause : null;
  const reason = cause && ('code' in cause ? String(cause.code) : cause.message);
  return reason ? `${error.message} (${reason})` : error.message;
}

const marks = { ok: 'ok', warning: 'warning', failed: 'FAILED', skipped: 'skipped' } as const;

export function findingsTable(findings: readonly Finding[]): string {
  const rows = findings.map(({ check, state, found, todo }) => [check, marks[state], found, todo]);
  const failures = findings.filter(({ state }) => state === 'failed').length;
  const last = failures === 0 ? 'Nothing failed.' : `${failures} failed.`;
  return `${textTable(['check', '', 'found', 'to do'], rows)}\n${last}`;
}

/** @returns the exit code */
export function exitCodeOf(findings: readonly Finding[]): number {
  return findings.some(({ state }) => state === 'failed') ? 1 : 0;
}
