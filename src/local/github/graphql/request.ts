import { z } from 'zod';

const requestSchema = z.object({
  query: z.string(),
  variables: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((variables) => variables ?? {}),
  operationName: z
    .string()
    .nullish()
    .transform((name) => name ?? null),
});

export type GraphQLRequest = z.output<typeof requestSchema>;

/** Null when the text is not a GraphQL request in JSON. */
export function parseGraphQLRequest(text: string): GraphQLRequest | null {
  try {
    return requestSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
