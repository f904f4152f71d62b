import type { HybridConfig } from '../../runtime/config.ts';
import { createSupabaseClientRpc } from '../../database/supabase-rpc.ts';
import { RpcError } from '../../database/rpc.ts';
import { failed, ok, warning } from '../command/findings.ts';
import { type Check, noConfig } from './patient.ts';

/** The variables that have no default and are good to have. Missing and malformed ones are told when they are read. */
export const checkVariables: Check = ({ config, isLocalStack }) => {
  if (!config) return Promise.resolve(noConfig);
  const optional = isLocalStack ? [] : missingIn(config);
  const all = [...config.warnings.map((text) => warning(text, 'rename the variable')), ...optional];
  return Promise.resolve(all.length > 0 ? all : [ok(`complete, for ${config.inngest.environment}`)]);
};

function missingIn({ github, openai, encryptionKeys, inngest }: HybridConfig) {
  return [
    github.token === undefined &&
      warning(
        'GITHUB_TOKEN is not set: GitHub answers 60 requests an hour',
        'set it to a token that may read',
      ),
    openai.apiKey === undefined &&
      warning('OPENAI_API_KEY is not set: jobs that embed fail', 'set it, where embeddings are wanted'),
    encryptionKeys.length === 0 &&
      warning(
        'GITHUB_TOKEN_ENCRYPTION_KEY is not set: tokens of users are not kept',
        'set it, where users analyse their own repositories',
      ),
    !inngest.isDev &&
      inngest.eventKey === undefined &&
      warning(
        'no Inngest event key: events are sent past Inngest, and awaited jobs are noticed late',
        'set INNGEST_EVENT_KEY',
      ),
  ].filter((each) => each !== false);
}

/** Asks the database over HTTP, as the deployed functions do. */
export const checkKeys: Check = async ({ config, fetch }) => {
  if (!config) return noConfig;
  const { url, secretKey } = config.supabase;
  try {
    await createSupabaseClientRpc({ url, key: secretKey, fetch, timeoutMs: 10_000 })('list_job_lanes');
    return [ok(`${url} takes the secret key`)];
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    return [failed(`${url} answers ${error.code}: ${error.message}`, todoFor(error.code))];
  }
};

function todoFor(code: string): string {
  if (code === 'PGRST202') return 'apply the migrations: supabase db push';
  if (code === '42501') return 'use the secret key (sb_secret_…), not the publishable one';
  return 'compare SUPABASE_SECRET_KEY with Project Settings, API keys';
}
