import type { Rpc } from '../../database/rpc.ts';
import { noSuchJob } from './explain.ts';
import { type JobsHost, printJson } from './jobs-host.ts';

/** What became of one job of several; `reason` says why nothing did. */
export interface Outcome {
  id: string;
  done: boolean;
  reason: string | null;
}

/** Does the same to several jobs, one after the other, and says of each that refused why. */
export async function explainRefusals(
  rpc: Rpc,
  ids: readonly string[],
  act: (id: string) => Promise<boolean>,
  whyNot: (rpc: Rpc, id: string, explanation: string) => Promise<string>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const id of ids) {
    const done = await act(id);
    outcomes.push({ id, done, reason: done ? null : await reasonOf(rpc, id, whyNot) });
  }
  return outcomes;
}

async function reasonOf(
  rpc: Rpc,
  id: string,
  whyNot: (rpc: Rpc, id: string, explanation: string) => Promise<string>,
): Promise<string> {
  const explanation = await rpc<string>('explain_background_job', { job_id: id });
  return explanation === noSuchJob ? 'there is no such job' : await whyNot(rpc, id, explanation);
}

/** @returns the exit code: 1 when one of them refused */
export function printOutcomes(
  host: JobsHost,
  outcomes: readonly Outcome[],
  texts: { json: boolean; done: string; refused: string },
): number {
  if (texts.json) printJson(host, outcomes);
  else
    for (const { id, done, reason } of outcomes)
      host.print(done ? `Job ${id} ${texts.done}.` : `Job ${id} ${texts.refused}: ${reason}`);
  return outcomes.every(({ done }) => done) ? 0 : 1;
}
