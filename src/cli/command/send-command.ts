import { createSupabaseClientRpc } from '../../database/supabase-rpc.ts';
import { createSharedGitHub } from '../../github/shared-github.ts';
import { catalog } from '../../jobs/catalog.ts';
import { createOpenAi } from '../../openai/create-openai.ts';
import { findDefinition } from '../../queue/find-definition.ts';
import type { JobEvent } from '../../router/event.ts';
import { hybridSet } from '../../router/function-sets.ts';
import { createHybridApp } from '../../router/hybrid-app.ts';
import { createInngestClient } from '../../router/inngest-client.ts';
import type { JobReceipt } from '../../router/receipt.ts';
import { ConfigError, type EnvRecord } from '../../runtime/config-reader.ts';
import { parseHybridConfig, type HybridConfig } from '../../runtime/config.ts';
import type { InngestConfig } from '../../runtime/inngest-config.ts';
import { createNodeLogger } from '../../runtime/node-logger.ts';
import { createOutsideHttp } from '../../runtime/outside-http.ts';
import { createSecretBox } from '../../secrets/secret-box.ts';
import { readCommandLine, UsageError } from './command-line.ts';
import { dataDirOption, resolveDataDir } from './data-dir.ts';
import { findTarget } from './target.ts';

const help = `Sends one event: to Inngest when it is reachable, else straight to the router, saying which.

  npm run send -- system/ping '{"hello":"world"}'
  npm run send -- capture/repository.sync.graphql '{"repository":"octo-org/hello-hybrid"}'
  npm run send -- system/ping '{}' --id same-event    twice with one id is one job

  --id text           id of the event; default a new one
  --json              for programs
  --data-dir folder   of the stack; default .local. Without a running stack the environment counts:
                      SUPABASE_URL, SUPABASE_SECRET_KEY, and INNGEST_EVENT_KEY or INNGEST_DEV
  --help              this text`;

/** The flags of `send`. */
export const sendOptions = {
  ...dataDirOption,
  id: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

interface SendHost {
  args: string[];
  env: EnvRecord;
  fetch: typeof fetch;
  print: (text: string) => void;
}

/** `npm run send`: @returns the exit code, 1 when the job failed */
export async function send(host: SendHost): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, sendOptions, help);
  const event = readEvent(positionals, values.id);
  const { name, env } = await findTarget(resolveDataDir(values['data-dir']), host.env);
  const config = readConfig(env);
  const inngest = await reachableInngest(config.inngest, host.fetch);
  const tell = values.json ? () => undefined : host.print;
  if (inngest) {
    const ids = await sendToInngest(event, config);
    tell(`Sent ${event.name} to ${inngest}, as event ${ids.join(', ')}.`);
    if (values.json) host.print(JSON.stringify({ sentTo: inngest, eventIds: ids }, null, 2));
    return 0;
  }
  tell(`Inngest is not reachable: ${event.name} goes straight to the router (${name}).`);
  const receipt = await dispatch(event, config, host.fetch);
  host.print(JSON.stringify(receipt, null, 2));
  return receipt.status === 'failed' ? 1 : 0;
}

function readConfig(env: EnvRecord): HybridConfig {
  try {
    return parseHybridConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new Error('Nowhere to send to: start a stack with npm start, or name one', { cause: error });
  }
}

function readEvent([name, data = '{}', ...rest]: string[], id: string | undefined): JobEvent {
  if (name === undefined || rest.length > 0)
    throw new UsageError(`Expected an event name and its data as JSON\n\n${help}`);
  if (!findDefinition(catalog, name))
    throw new UsageError(
      `Unknown event ${name}: expected one of\n${catalog.map(({ type }) => `  ${type}`).join('\n')}`,
    );
  return { name, data: readData(data), id: id ?? crypto.randomUUID() };
}

function readData(text: string): object {
  const data = parseJson(text);
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return data;
  throw new UsageError(`The event's data: expected a JSON object like '{"hello":"world"}', got ${text}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`The event's data: expected JSON, got ${text}\n(${reason})`, { cause: error });
  }
}

/** @returns who would take the event, for people; undefined when nobody would */
async function reachableInngest(config: InngestConfig, fetcher: typeof fetch): Promise<string | undefined> {
  if (!config.isDev) return config.eventKey === undefined ? undefined : 'Inngest Cloud';
  const url = config.baseUrl ?? 'http://127.0.0.1:8288';
  const answer = await fetcher(`${url}/dev`, { signal: AbortSignal.timeout(1000) }).catch(() => undefined);
  return answer?.ok ? `the Inngest Dev Server at ${url}` : undefined;
}

async function sendToInngest({ name, data, id }: JobEvent, config: HybridConfig): Promise<string[]> {
  const log = createNodeLogger({ level: 'error' });
  const client = createInngestClient({ config: config.inngest, appId: hybridSet.appId, log });
  const { ids } = await client.send({ name, id, data: data as object });
  return ids;
}

async function dispatch(event: JobEvent, config: HybridConfig, fetcher: typeof fetch): Promise<JobReceipt> {
  const rpc = createSupabaseClientRpc({ url: config.supabase.url, key: config.supabase.secretKey });
  const log = createNodeLogger({ level: 'warn' });
  const { router } = createHybridApp({
    config,
    set: hybridSet,
    catalog,
    rpc,
    github: createSharedGitHub({ ...config.github, rpc, log }),
    openai: createOpenAi({ ...config.openai, rpc, log }),
    secrets: createSecretBox(config.encryptionKeys),
    log,
    http: { ...createOutsideHttp(), fetch: fetcher },
    now: () => new Date(),
  });
  return await router.dispatch(event);
}
