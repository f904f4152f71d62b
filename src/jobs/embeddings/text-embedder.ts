/** A model that turns texts into vectors in this process, without a server. */
export interface TextEmbedder {
  /** Under this name its vectors are stored; those of different models are never compared. */
  readonly model: string;
  /** Numbers of each vector. */
  readonly dimensions: number;
  /** One vector of length 1 for each text, in the same order. What is longer than the model reads is cut off. */
  embed(texts: readonly string[]): Promise<Float32Array[]>;
}

/**
 * Loads the model at the first call, and answers with the same one later. Null: no model is set here.
 * @throws {NonRetryableError} it cannot be loaded; says what to install or to set
 */
export type OpenEmbedder = () => Promise<TextEmbedder | null>;
