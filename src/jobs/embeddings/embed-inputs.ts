import { InputRefusedError } from '../outcomes.ts';
import { firstPart, mayBeTooLong } from './text-size.ts';

/** An item on its way to the model. */
export interface Input {
  text: string;
  /** Estimated. */
  tokens: number;
  /** How often it was cut because the model had refused it as too long. */
  cuts: number;
}

/** What `embedInputs` does with the inputs. */
export interface InputHost<Each extends Input> {
  /** One request. */
  embed(texts: string[]): Promise<{ vectors: string[]; tokens: number }>;
  embedded(inputs: readonly Each[], answer: { vectors: string[]; tokens: number }): Promise<void>;
  /** The model does not read this one. @throws to give up */
  refused(input: Each, error: InputRefusedError): void;
}

/** A text is cut so often before it is given up, and not shorter than this. */
const mostCuts = 5;
const shortestText = 100;

/**
 * Embeds all inputs in one request. Where the model refuses it, as many more as it takes to find out which input is to
 * blame: that one is cut if it is too long, and given up otherwise, and the others are embedded without it.
 *
 * A request that is too large in all goes again with fewer inputs; the last ones are left for another batch.
 */
export async function embedInputs<Each extends Input>(
  inputs: readonly Each[],
  host: InputHost<Each>,
): Promise<void> {
  if (inputs.length === 0) return;
  let answer;
  try {
    answer = await host.embed(inputs.map(({ text }) => text));
  } catch (error) {
    if (!(error instanceof InputRefusedError)) throw error;
    return await embedRefused(inputs, error, host);
  }
  await host.embedded(inputs, answer);
}

async function embedRefused<Each extends Input>(
  inputs: readonly Each[],
  error: InputRefusedError,
  host: InputHost<Each>,
): Promise<void> {
  const blamed = inputs.length === 1 ? 0 : error.input;
  if (blamed !== null && inputs[blamed] !== undefined) {
    const shorter = error.tooLarge === null ? null : cut(inputs[blamed], error);
    if (shorter === null) host.refused(inputs[blamed], error);
    return await embedInputs(inputs.toSpliced(blamed, 1, ...(shorter === null ? [] : [shorter])), host);
  }
  if (error.tooLarge === 'request') return await embedInputs(fewer(inputs, error), host);
  for (const part of parts(inputs, error)) await embedInputs(part, host);
}

/** Shorter by as much as the model said, else by half; null when that has not helped. */
function cut<Each extends Input>(input: Each, error: InputRefusedError): Each | null {
  if (input.cuts >= mostCuts || input.text.length < shortestText) return null;
  const share = shareThatFits(error);
  const text = firstPart(input.text, share);
  return { ...input, text, tokens: Math.ceil(input.tokens * share), cuts: input.cuts + 1 };
}

function shareThatFits({ tokens, mostTokens }: InputRefusedError): number {
  return tokens !== null && mostTokens !== null && mostTokens < tokens ? (mostTokens / tokens) * 0.98 : 0.5;
}

/** The first inputs, with as large a share of the estimated tokens as the model takes. */
function fewer<Each extends Input>(inputs: readonly Each[], error: InputRefusedError): readonly Each[] {
  const room = shareThatFits(error) * inputs.reduce((sum, { tokens }) => sum + tokens, 0);
  let sum = 0;
  const end = inputs.findIndex(({ tokens }) => (sum += tokens) > room);
  return inputs.slice(0, Math.min(Math.max(end, 1), inputs.length - 1));
}

/** Those that cannot be too long and those that may be, where it is about that; else halves. */
function parts<Each extends Input>(
  inputs: readonly Each[],
  { tooLarge }: InputRefusedError,
): (readonly Each[])[] {
  if (tooLarge === 'input') {
    const suspects = inputs.filter(({ text }) => mayBeTooLong(text));
    const innocent = inputs.filter((input) => !suspects.includes(input));
    if (suspects.length > 0 && innocent.length > 0) return [innocent, suspects];
  }
  const middle = Math.ceil(inputs.length / 2);
  return [inputs.slice(0, middle), inputs.slice(middle)];
}
