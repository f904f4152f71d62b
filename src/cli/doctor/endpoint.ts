import { catalog } from '../../jobs/catalog.ts';
import { signAsInngest } from '../../local/inngest-signature.ts';
import { hybridSet, servedBy } from '../../router/function-sets.ts';
import type { HybridConfig } from '../../runtime/config.ts';
import { failed, ok, skipped, warning } from '../command/findings.ts';
import { type Check, noConfig, type Patient } from './patient.ts';

/** What the SDK tells who asks with a good signature, and in development everybody. */
interface Introspection {
  mode?: string;
  function_count?: number;
  functions?: unknown[];
  has_event_key?: boolean;
}

/** Asks the endpoint as Inngest does, signed: whether it is there, has our key, and serves every function. */
export const checkEndpoint: Check = async (patient) => {
  const { endpoint, config } = patient;
  if (!config) return noConfig;
  if (endpoint === null)
    return [skipped('its address is not known', 'give --endpoint https://<site>/api/inngest')];
  const answer = await ask(patient, endpoint, config);
  if (answer.status === 401)
    return [
      failed(`${endpoint} refuses our signature`, 'give it the same INNGEST_SIGNING_KEY as this environment'),
    ];
  if (!answer.ok)
    return [
      failed(
        `${endpoint} answers ${answer.status}`,
        'read the log of the function: it names what is missing',
      ),
    ];
  return judge((await answer.json()) as Introspection, config);
};

async function ask({ fetch, now }: Patient, endpoint: string, config: HybridConfig): Promise<Response> {
  const { signingKey, isDev } = config.inngest;
  const headers: Record<string, string> =
    isDev || signingKey === undefined
      ? {}
      : { 'x-inngest-signature': await signAsInngest('', signingKey, now()) };
  return await fetch(endpoint, { headers, redirect: 'manual', signal: AbortSignal.timeout(15_000) });
}

function judge(told: Introspection, config: HybridConfig) {
  const expected = servedBy(hybridSet, catalog, config.splitsOffEmbeddings).length;
  // The SDK counts each function's failure handler, too.
  const served = told.functions?.length ?? (told.function_count ?? 0) / 2;
  const wanted = config.inngest.isDev ? 'dev' : 'cloud';
  if (told.mode !== undefined && told.mode !== wanted)
    return [
      failed(
        `it runs in mode ${told.mode}, this environment in mode ${wanted}`,
        'compare INNGEST_DEV of both',
      ),
    ];
  if (served !== expected)
    return [
      failed(
        `it serves ${served} functions, this version has ${expected}`,
        'deploy this version, and sync the app in Inngest',
      ),
    ];
  const found = `it serves all ${served} functions`;
  if (told.has_event_key === false && !config.inngest.isDev)
    return [warning(`${found}, but has no event key`, 'set INNGEST_EVENT_KEY there')];
  return [
    ok(
      config.inngest.isDev
        ? found
        : `${found}; whether Inngest knows its newest version is shown in Inngest under Apps`,
    ),
  ];
}
