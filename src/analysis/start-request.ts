import { z } from 'zod';
import { readBodyText } from '../runtime/body-text.ts';

const bodyLimitBytes = 65_536;

/** The request cannot be served as it is. */
export class RefusedRequestError extends Error {
  override readonly name = 'RefusedRequestError';
  readonly status: 400 | 401 | 405 | 413 | 415;

  constructor(status: 400 | 401 | 405 | 413 | 415, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** A token in one line: whatever else stands in a header makes `fetch` show it in an error. */
const oneLine = 'a token in one line';
const secret = z.string(oneLine).regex(/^[\x21-\x7e]{1,4096}$/, oneLine);

const schema = z.strictObject(
  {
    repo_id: z.guid('the uuid of a repository'),
    /** `provider_token` of the user's session after a sign-in with GitHub: kept sealed, for this and later analyses. */
    github_token: secret.optional(),
    /** The user's own OpenAI key: likewise. */
    openai_key: secret.optional(),
  },
  'an object with repo_id',
);

export interface StartRequest extends z.output<typeof schema> {
  accessToken: string;
}

/**
 * Reads `POST {repo_id, github_token?, openai_key?}` with a user's access token.
 * @throws {RefusedRequestError} says what was expected, and shows no value
 */
export async function readStartRequest(request: Request): Promise<StartRequest> {
  if (request.method !== 'POST') throw new RefusedRequestError(405, `expected POST, got ${request.method}`);
  const accessToken = /^Bearer ([\x21-\x7e]+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  if (accessToken === undefined)
    throw new RefusedRequestError(
      401,
      'Authorization: expected Bearer and the access token of a signed-in user',
    );
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get('content-type') ?? ''))
    throw new RefusedRequestError(415, 'Content-Type: expected application/json');
  const text = await readBodyText(request, bodyLimitBytes);
  if (text === null) throw new RefusedRequestError(413, 'body: expected at most 64 kB');
  return { ...readBody(text), accessToken };
}

function readBody(text: string): z.output<typeof schema> {
  const { data, error } = schema.safeParse(parseJson(text));
  if (data) return data;
  const [issue] = error.issues;
  if (issue?.code === 'unrecognized_keys')
    throw new RefusedRequestError(
      400,
      `${issue.keys[0]}: unknown field, expected repo_id, github_token or openai_key`,
    );
  throw new RefusedRequestError(400, `${issue?.path.join('.') || 'body'}: expected ${issue?.message}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RefusedRequestError(400, 'body: expected JSON, an object with repo_id');
  }
}
