import { schema as official } from '@octokit/graphql-schema';
import { buildSchema, type GraphQLSchema } from 'graphql';

let built: GraphQLSchema | undefined;

/** GitHub's published schema. Building it takes about 300 ms, so that happens once per process, on first use. */
export function gitHubSchema(): GraphQLSchema {
  built ??= buildSchema(official.idl, { assumeValid: true });
  return built;
}
