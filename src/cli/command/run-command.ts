import { HelpRequest, UsageError } from './command-line.ts';

/**
 * Runs a command to its exit code: what it returns, 0 for help, 2 for a wrong use, 1 for any other failure, which is
 * told in one line (and its causes) without a stack trace.
 */
export async function runCommand(command: () => Promise<number>): Promise<number> {
  try {
    return await command();
  } catch (error) {
    if (error instanceof HelpRequest) {
      console.log(error.message);
      return 0;
    }
    const isMisuse = error instanceof UsageError;
    console.error(isMisuse ? error.message : describe(error));
    return isMisuse ? 2 : 1;
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A refused connection to a name with several addresses is an AggregateError without a message.
  const message = error.message || ('code' in error ? String(error.code) : error.name);
  return error.cause instanceof Error && !message.includes(error.cause.message)
    ? `${message}\n  because: ${describe(error.cause)}`
    : message;
}
