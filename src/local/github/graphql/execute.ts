import {
  type DocumentNode,
  execute,
  getOperationAST,
  GraphQLError,
  type GraphQLFieldResolver,
  type OperationDefinitionNode,
  parse,
  validate,
} from 'graphql';
import type { World } from '../data/world.ts';
import type { Quota } from '../rate-limit.ts';
import { renderActor } from './actor.ts';
import { findNode } from './node.ts';
import { computeQueryCost, type QueryCost } from './query-cost.ts';
import { renderRepository } from './repository.ts';
import type { GraphQLRequest } from './request.ts';
import { gitHubSchema } from './schema.ts';
import { formatError, TypedGraphQLError } from './typed-error.ts';
import { gitHubRules } from './validation.ts';

/** The body of the answer; its HTTP status is 200 even when the query is wrong. */
export interface GraphQLAnswer {
  data?: Record<string, unknown> | null;
  errors?: readonly Record<string, unknown>[];
}

/**
 * @param spend takes points from the hourly limit and answers what is left, or null when there is too little
 * @param nodeLimit of nodes that a query may return at most
 */
export async function executeGraphQL(
  request: GraphQLRequest,
  world: World,
  spend: (points: number) => Quota | null,
  nodeLimit: number,
): Promise<GraphQLAnswer> {
  const schema = gitHubSchema();
  const { variables } = request;
  const parsed = parseQuery(request);
  if ('errors' in parsed) return parsed;
  const { document, operation } = parsed;
  const invalid = validate(schema, document, gitHubRules);
  if (invalid.length > 0) return { errors: invalid.map(formatError) };
  const cost = computeQueryCost({ schema, document, variables }, operation);
  const quota = spend(cost.points);
  if (quota === null) {
    return refusal(new TypedGraphQLError('RATE_LIMITED', 'API rate limit exceeded for user ID 583231.'));
  }
  if (cost.nodes > nodeLimit) return refusal(tooManyNodes(cost, nodeLimit));
  const result = await execute({
    schema,
    document,
    variableValues: variables,
    operationName: request.operationName,
    rootValue: createRoot(world, quota, cost),
    fieldResolver: resolveField,
  });
  return {
    ...('data' in result ? { data: result.data ?? null } : {}),
    ...(result.errors ? { errors: result.errors.map(formatError) } : {}),
  };
}

function parseQuery(
  request: GraphQLRequest,
): { document: DocumentNode; operation: OperationDefinitionNode } | (GraphQLAnswer & { errors: object }) {
  try {
    const document = parse(request.query);
    const operation = getOperationAST(document, request.operationName);
    if (operation) return { document, operation };
    return refusal(new GraphQLError('An operation name is required'));
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    return refusal(
      new GraphQLError(`Parse error: ${error.message}`, { positions: error.positions, source: error.source }),
    );
  }
}

function refusal(error: GraphQLError): { errors: readonly Record<string, unknown>[] } {
  return { errors: [formatError(error)] };
}

function tooManyNodes(cost: QueryCost, nodeLimit: number): TypedGraphQLError {
  const [asked, limit] = [cost.nodes, nodeLimit].map((count) => count.toLocaleString('en-US'));
  return new TypedGraphQLError(
    'MAX_NODE_LIMIT_EXCEEDED',
    `This query requests up to ${asked} possible nodes which exceeds the maximum limit of ${limit}.`,
  );
}

function createRoot(world: World, quota: Quota, cost: QueryCost): object {
  return {
    viewer: () => renderActor(world.viewer),
    rateLimit: {
      limit: quota.limit,
      remaining: quota.remaining,
      used: quota.used,
      resetAt: new Date(quota.resetAt * 1000).toISOString().replace('.000Z', 'Z'),
      cost: cost.points,
      nodeCount: cost.nodes,
    },
    node: ({ id }: { id: string }) => findNode(world, id),
    // Each on its own: one that is not there is null, and an error at its place in the list.
    nodes: ({ ids }: { ids: readonly string[] }) =>
      ids.map((id) => Promise.resolve().then(() => findNode(world, id))),
    repository: ({ owner, name }: { owner: string; name: string }) => {
      const repository = world.repository(`${owner}/${name}`);
      if (repository) return renderRepository(repository);
      throw new TypedGraphQLError(
        'NOT_FOUND',
        `Could not resolve to a Repository with the name '${owner}/${name}'.`,
      );
    },
  };
}

/** Like the library's own, but a field that exists on GitHub and not here is an error rather than a null. */
const resolveField: GraphQLFieldResolver<Record<string, unknown>, unknown> = (
  source,
  args,
  context,
  info,
) => {
  const value = source[info.fieldName];
  if (typeof value === 'function')
    return (value as (...parameters: unknown[]) => unknown)(args, context, info);
  if (value !== undefined) return value;
  throw new TypedGraphQLError(
    'INTERNAL',
    `The GitHub stand-in does not serve ${info.parentType.name}.${info.fieldName}.`,
  );
};
