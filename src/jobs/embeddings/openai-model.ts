/** The model whose vectors `embeddings/compute.requested` stores; they are in the database under this name. */
export const openAiModel = 'text-embedding-3-small';

/**
 * Of 1,536, which the model may cut by itself: a third of the memory, of the transfer and of the work, for 1 % less in
 * OpenAI's own benchmark (MTEB 61.6 instead of 62.3).
 */
export const openAiDimensions = 512;

/** Most that one request may hold. Source: "Create embeddings", parameter `input`, in OpenAI's API reference. */
export const requestLimits = { inputs: 2_048, tokens: 300_000 };

/** Tokens of one input, from the same source. */
export const inputTokens = 8_192;
