/** What one answer to `embed` holds. */
export interface Embeddings {
  /**
   * One per input, in the same order: base64 of little-endian float32, as OpenAI sends it and the database takes it. The
   * vectors of 2,048 inputs are 17 MB of text, which nobody has to turn into numbers and back.
   */
  vectors: string[];
  /** What the request cost. */
  tokens: number;
}

/** A question to a chat model. */
export interface CompletionRequest {
  /** For example `gpt-4o-mini`. */
  model: string;
  /** What the model is to do. */
  instructions: string;
  /** What it is to do it with. */
  input: string;
  maxOutputTokens: number;
}

export interface Completion {
  text: string;
  /** The version that answered. */
  model: string;
  tokens: { input: number; output: number };
}

/**
 * OpenAI as a job sees it. Every request ends in an answer or in one of the outcomes of `jobs/outcomes.ts`: rate limits
 * snooze, refusals are non-retryable, and everything else (5xx, network, time-out, cut body) is an ordinary error, which
 * is retried. Without a key every request is refused, and the refusal names the variable.
 */
export interface OpenAi {
  /** The same for one piece of work: `signal` ends each of its requests. */
  withSignal(signal: AbortSignal): OpenAi;
  /** The same with another account's key, whose quotas are its own. */
  withKey(apiKey: string): OpenAi;
  /**
   * One request: at most 2,048 inputs, none of them empty, of at most 8,192 tokens each and 300,000 together.
   * @throws {InputRefusedError} the inputs are too many or too long, or one of them is refused
   */
  embed(inputs: readonly string[], options: { model: string; dimensions?: number }): Promise<Embeddings>;
  /**
   * One request.
   * @throws {InputRefusedError} the input is too long, or is refused
   */
  complete(request: CompletionRequest): Promise<Completion>;
}
