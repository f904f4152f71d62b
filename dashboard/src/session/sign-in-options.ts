export interface SignInOptions {
  /** The local stack signs in by the link that it prints, and by nothing else. */
  byPrintedLink?: boolean;
  /** Why a sign-in by link failed. */
  problem?: string;
}
