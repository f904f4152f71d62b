import type { UncheckedRpc } from '../../database/rpc.ts';
import { createSupabaseClientRpc } from '../../database/supabase-rpc.ts';
import { createJobQueue } from '../../queue/job-queue.ts';
import type { HybridConfig } from '../../runtime/config.ts';
import { failed, ok } from '../command/findings.ts';
import { type Check, noConfig, type Patient } from './patient.ts';

interface Answer {
  status?: string;
  error?: string;
  reason?: string;
  durationMs?: number;
}

/** Has process-job run one `system/ping`, which stays in the history like any other job. */
export const checkRoundTrip: Check = async (patient) => {
  const { config, fetch, now } = patient;
  if (!config) return noConfig;
  const [job] = await createJobQueue(rpcOf(patient, config)).enqueue([
    { type: 'system/ping', lane: 'edge', payload: { from: 'doctor' }, maxRetries: 0 },
  ]);
  if (!job) throw new Error('the queue answered no row for system/ping');
  const startedAt = now().getTime();
  const { url, key } = config.processJob;
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, apikey: key, 'content-type': 'application/json' },
    body: JSON.stringify({ jobId: job.id, immediate: true }),
    signal: AbortSignal.timeout(60_000),
  });
  const answer = (await response.json().catch(() => ({}))) as Answer;
  if (response.ok && answer.status === 'completed')
    return [ok(`system/ping completed in ${now().getTime() - startedAt} ms, job ${job.id}`)];
  const reason = answer.error ?? answer.reason ?? answer.status ?? 'nothing that can be read';
  return [failed(`process-job answers ${response.status}: ${reason}`, todoFor(response.status, job.id))];
};

function rpcOf({ database, fetch }: Patient, { supabase }: HybridConfig): UncheckedRpc {
  return (
    (database?.rpc as UncheckedRpc | undefined) ??
    createSupabaseClientRpc({ url: supabase.url, key: supabase.secretKey, fetch, timeoutMs: 10_000 })
  );
}

function todoFor(status: number, jobId: string): string {
  if (status === 401) return 'give it the same PROCESS_JOB_SECRET, or secret key, as this environment';
  if (status === 404) return 'deploy it: supabase functions deploy process-job';
  if (status === 409) return `somebody else took the job: npm run jobs -- explain ${jobId}`;
  return 'read the log of the Edge Function';
}
