/** GitHub's error body; its `status` repeats the HTTP status as text. */
export function errorResponse(
  status: number,
  message: string,
  headers: Record<string, string> = {},
): Response {
  const body = { message, documentation_url: 'https://docs.github.com/rest', status: String(status) };
  return Response.json(body, { status, headers });
}

export function notFound(): Response {
  return errorResponse(404, 'Not Found');
}

export function badCredentials(): Response {
  return errorResponse(401, 'Bad credentials');
}

/** @param retryAfterSeconds given for a secondary limit */
export function rateLimitExceeded(status: number, retryAfterSeconds?: number): Response {
  if (retryAfterSeconds === undefined) {
    return errorResponse(status, 'API rate limit exceeded for user ID 583231.');
  }
  return errorResponse(
    status,
    'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
    { 'retry-after': String(retryAfterSeconds) },
  );
}
