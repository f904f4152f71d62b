/** What one answer said of one quota of one token. */
export interface QuotaReport {
  /** `github:core`, `github:graphql`, `openai:embeddings`, …: whose it is, and the server's name of the resource. */
  quota: string;
  /** Units of a whole window. */
  allowance?: number;
  /** Units left until `resetsAt`. */
  remaining?: number;
  resetsAt?: Date;
  /** Whatever remains, nothing is served before. */
  blockedUntil?: Date;
}
