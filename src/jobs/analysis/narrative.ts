import type { Completion } from '../../openai/openai.ts';
import { recordUsage } from '../ai/usage.ts';
import { KeyRefusedError, SnoozeError } from '../outcomes.ts';
import { openCredential } from './credentials.ts';
import type { WorkStyle } from './metrics/analyse.ts';
import type { AnalysisContext } from './payload.ts';

/** A few sentences on the style of work by a language model, or why there are none. */
export type Narrative =
  | { status: 'written'; text: string; model: string; paidBy: 'user' | 'platform' }
  | { status: 'unavailable'; reason: string };

const model = 'gpt-4o-mini';
const instructions = `You describe how a software team works, in three to five friendly sentences of plain English, from the
measurements of its commits that you get as JSON. Name the two or three most telling figures. Do not praise or blame, give
no advice, and invent nothing.`;

/**
 * Asks a language model, with the user's own OpenAI key where there is one, else with the platform's. Holds up no analysis:
 * a refusal, a rate limit or a missing key becomes the reason why there is no text.
 *
 * @throws what OpenAI was paid for could not be recorded; a retry is right then
 */
export async function writeNarrative(ctx: AnalysisContext, style: WorkStyle): Promise<Narrative> {
  if (style.commits === 0) return { status: 'unavailable', reason: 'there are no commits to speak of' };
  const { userId } = ctx.payload;
  let ownKey: string | null = null;
  let answer: Completion;
  try {
    ownKey = await openCredential(ctx, userId, 'openai');
    const openai = ownKey === null ? ctx.openai : ctx.openai.withKey(ownKey);
    const input = JSON.stringify(withoutNames(style));
    answer = await openai.complete({ model, instructions, input, maxOutputTokens: 400 });
  } catch (error) {
    ctx.signal.throwIfAborted();
    const said = error instanceof Error ? error.message : String(error);
    ctx.log.warn({ reason: said }, 'an analysis goes without a narrative');
    return { status: 'unavailable', reason: reasonFor(error, ownKey !== null) };
  }
  const use = { model: answer.model, purpose: 'narrative', requests: 1, tokens: answer.tokens };
  await recordUsage(ctx, { ...use, userId, paidByUser: ownKey !== null });
  const paidBy = ownKey === null ? 'platform' : 'user';
  return { status: 'written', text: answer.text, model: answer.model, paidBy };
}

/** What the user reads. OpenAI's own words, and the database's, name accounts and addresses: they are for the log. */
function reasonFor(error: unknown, isOwnKey: boolean): string {
  if (error instanceof SnoozeError) return "OpenAI's rate limit is reached";
  if (!(error instanceof KeyRefusedError)) return 'the language model is not available';
  if (isOwnKey) return 'your OpenAI key was refused';
  return error.isMissing ? 'there is no OpenAI key' : 'the OpenAI key of this site was refused';
}

/** Nobody's name and no path leaves the house. */
function withoutNames({ people, areas, ...rest }: WorkStyle): object {
  const shares = people.top.map(({ share }) => share);
  return { ...rest, people: { ...people, top: shares }, withTestsShare: areas.withTestsShare };
}
