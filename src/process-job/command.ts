import { readBodyText } from '../runtime/body-text.ts';

const bodyLimitBytes = 65_536;

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What a caller wants: the queue drained, one job run, or one job run while the caller waits. */
export type Command =
  { kind: 'drain' } | { kind: 'run'; jobId: string } | { kind: 'run-immediately'; jobId: string };

/** The request's body is not a command. `field` says which part. */
export class BadRequest extends Error {
  override readonly name = 'BadRequest';
  readonly status: 400 | 413;
  readonly field: string;

  constructor(field: string, message: string, status: 400 | 413 = 400) {
    super(message);
    this.field = field;
    this.status = status;
  }
}

/**
 * Reads the body of a request; an empty one means `{}`.
 * @throws {BadRequest} names the field that is wrong, or the body when it is too large or not a JSON object
 */
export async function readCommand(request: Request): Promise<Command> {
  const text = await readBodyText(request, bodyLimitBytes);
  if (text === null) throw new BadRequest('body', `body: expected at most ${bodyLimitBytes} bytes`, 413);
  return parseCommand(text.trim() === '' ? {} : parseJson(text));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadRequest('body', 'body: expected JSON');
  }
}

function parseCommand(body: unknown): Command {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new BadRequest('body', 'body: expected a JSON object');
  const { jobId, immediate, ...rest } = body as Record<string, unknown>;
  const [unknownField] = Object.keys(rest);
  if (unknownField !== undefined) {
    const field = unknownField.slice(0, 100);
    throw new BadRequest(field, `${field}: unknown field, expected jobId or immediate`);
  }
  if (jobId !== undefined && !(typeof jobId === 'string' && uuid.test(jobId)))
    throw new BadRequest('jobId', 'jobId: expected a uuid');
  if (immediate !== undefined && typeof immediate !== 'boolean')
    throw new BadRequest('immediate', 'immediate: expected true or false');
  if (jobId === undefined && immediate !== undefined)
    throw new BadRequest('jobId', 'jobId: expected a uuid, since immediate is given');
  if (jobId === undefined) return { kind: 'drain' };
  return { kind: immediate === true ? 'run-immediately' : 'run', jobId: jobId.toLowerCase() };
}
