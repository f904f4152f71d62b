/** What goes into `error` of an answer that refuses. */
interface ApiError {
  message: string;
  type?: string;
  param?: string | null;
  code?: string | null;
}

/** A refusal in OpenAI's form. */
export function errorResponse(
  status: number,
  { type = 'invalid_request_error', param = null, code = null, message }: ApiError,
  headers: Record<string, string> = {},
): Response {
  return Response.json({ error: { message, type, param, code } }, { status, headers });
}

export const wrongKey = (): Response =>
  errorResponse(401, {
    message: 'Incorrect API key provided: sk-s****-in. You can find your API key in your account settings.',
    code: 'invalid_api_key',
  });
