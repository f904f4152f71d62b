import { GraphQLError } from 'graphql';

/** GitHub's name for what went wrong; it stands beside `message` in the answer, not under `extensions`. */
export type ErrorType =
  | 'NOT_FOUND'
  | 'EXCESSIVE_PAGINATION'
  | 'MISSING_PAGINATION_BOUNDARIES'
  | 'INVALID_CURSOR_ARGUMENTS'
  | 'MAX_NODE_LIMIT_EXCEEDED'
  | 'RATE_LIMITED'
  | 'INTERNAL';

/** An error of execution, as opposed to one of validation, which carries a `code` instead. */
export class TypedGraphQLError extends GraphQLError {
  readonly type: ErrorType;

  constructor(type: ErrorType, message: string) {
    super(message);
    this.type = type;
  }
}

/** The form GitHub gives to each kind of error. */
export function formatError(error: GraphQLError): Record<string, unknown> {
  const { message, locations, path, extensions } = error.toJSON();
  const cause = error instanceof TypedGraphQLError ? error : error.originalError;
  if (cause instanceof TypedGraphQLError) return { type: cause.type, path, locations, message };
  const validation = extensions?.code === undefined ? {} : { extensions };
  return { path, ...validation, locations, message };
}
