import { parseArgs, type ParseArgsConfig } from 'node:util';

/** The user asked for something that cannot be: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The user asked for the help text: no error. */
export class HelpRequest extends Error {
  override readonly name = 'HelpRequest';
}

type Options = NonNullable<ParseArgsConfig['options']>;

/**
 * Reads flags and operands; `--help` belongs to every command.
 * @throws {UsageError} names the unknown flag or the flag without its value
 * @throws {HelpRequest} carries `help`
 */
export function readCommandLine<const O extends Options>(args: string[], options: O, help: string) {
  const { values, positionals } = parse(args, { ...options, help: { type: 'boolean', short: 'h' } });
  if ((values as { help?: boolean }).help) throw new HelpRequest(help);
  return { values, positionals };
}

function parse<const O extends Options>(args: string[], options: O) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(`${error.message.split('. To specify')[0]}\nSee --help.`, { cause: error });
  }
}
