/**
 * SQLSTATEs that say nothing about the statement: connection lost or refused (08), the server is ending, crashed or
 * starting (57P01–57P03), no connection left (53300); and what PostgREST answers in their place (PGRST000–003).
 */
const UNREACHABLE = /^(08...|57P0[123]|53300|PGRST00[0-3])$/;

export function meansUnreachable(code: string): boolean {
  return UNREACHABLE.test(code);
}
