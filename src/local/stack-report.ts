import type { StackPart, StackState } from './stack-state.ts';
import type { Stack } from './stack.ts';
import { textTable } from './text-table.ts';

/** What runs where. */
export function describeParts(parts: readonly StackPart[]): string {
  return textTable(
    ['part', 'where', 'note'],
    parts.map(({ name, where, note }) => [name, where, note]),
  );
}

/** The keys of the stack and three commands that a newcomer may paste. */
export function describeNextSteps(
  { env, databaseUrl, signInUrl }: Pick<Stack, 'env' | 'databaseUrl' | 'signInUrl'>,
  dataDirFlag: string,
): string {
  const key = env['SUPABASE_SECRET_KEY'];
  const lines = signInUrl === null ? [] : [`Dashboard   ${signInUrl}   (signs you in, once)`];
  if (key) lines.push(`Secret key  ${key}   (of this machine only)`, '');
  lines.push('Try, in another terminal:');
  lines.push(
    `  npm run send -- ${dataDirFlag}capture/repository.sync.graphql '{"repository":"octo-org/hello-hybrid"}'`,
  );
  if (key)
    lines.push(
      `  curl -X POST ${env['SUPABASE_URL']}/functions/v1/process-job -H 'apikey: ${key}' -H 'content-type: application/json' -d '{}'`,
    );
  if (databaseUrl)
    lines.push(
      `  npm run sql -- ${dataDirFlag}"select type, lane, status, duration_ms from background_jobs order by created_at desc limit 10"`,
    );
  return lines.join('\n');
}

/** For who starts a second stack on one data folder. */
export function describeRunning(state: StackState): string {
  const { pid } = state.process;
  if (state.inngestUrl === null) return `A stack is just being started here, by process ${pid}.`;
  return `A stack is already running here, as process ${pid}:\n${describeParts(state.parts)}\nStop it with Ctrl-C in its terminal, or with: kill ${pid}`;
}
