import { type Context, Middleware } from 'inngest';

/**
 * Tells a function's handler when its request has been answered. Inngest's SDK answers at every step that it does not
 * continue itself; the handler then never resumes, and a new request replays it. Inngest makes one instance of a
 * middleware for each request.
 */
export class RequestEnd extends Middleware.BaseMiddleware {
  readonly id = 'request-end';
  readonly #controller = new AbortController();

  override transformFunctionInput(
    input: Middleware.TransformFunctionInputArgs,
  ): Middleware.TransformFunctionInputArgs {
    const extension: Extension = { requestEnd: this.#controller.signal };
    return { ...input, ctx: { ...input.ctx, ...extension } };
  }

  override async wrapRequest({ next }: Middleware.WrapRequestArgs): Promise<Middleware.Response> {
    try {
      return await next();
    } finally {
      this.#controller.abort();
    }
  }
}

interface Extension {
  requestEnd?: AbortSignal;
}

/** Aborted when the request that runs this handler has its answer. */
export function endOfRequest(context: Context.Any & Extension): AbortSignal {
  if (!context.requestEnd)
    throw new Error('expected a function with the middleware RequestEnd, got one without');
  return context.requestEnd;
}
