import {
  type DocumentNode,
  type FieldNode,
  getNamedType,
  type GraphQLSchema,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

/** What GitHub computes before it runs a query. */
export interface QueryCost {
  /** Points taken from the hourly limit, at least 1. */
  points: number;
  /** Upper bound of the nodes that the query may return. */
  nodes: number;
}

interface Scope {
  schema: GraphQLSchema;
  document: DocumentNode;
  variables: Readonly<Record<string, unknown>>;
}

/**
 * GitHub's published formula: every connection inside another is asked once per node of the outer one;
 * the sum of those requests divided by 100 are the points, the sum of their page sizes the nodes.
 */
export function computeQueryCost(scope: Scope, operation: OperationDefinitionNode): QueryCost {
  const total = { requests: 0, nodes: 0 };
  walk(scope, operation.selectionSet, scope.schema.getQueryType()?.name ?? 'Query', 1, total);
  return { points: Math.max(1, Math.round(total.requests / 100)), nodes: total.nodes };
}

function walk(
  scope: Scope,
  selectionSet: SelectionSetNode,
  typeName: string,
  times: number,
  total: { requests: number; nodes: number },
): void {
  for (const selection of selectionSet.selections) {
    if (selection.kind === Kind.FRAGMENT_SPREAD) {
      const fragment = scope.document.definitions.find(
        (each) => each.kind === Kind.FRAGMENT_DEFINITION && each.name.value === selection.name.value,
      );
      if (fragment?.kind !== Kind.FRAGMENT_DEFINITION) continue;
      walk(scope, fragment.selectionSet, fragment.typeCondition.name.value, times, total);
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      const inner = selection.typeCondition?.name.value ?? typeName;
      walk(scope, selection.selectionSet, inner, times, total);
    } else if (selection.selectionSet) {
      walkField(scope, selection, selection.selectionSet, typeName, times, total);
    }
  }
}

function walkField(
  scope: Scope,
  field: FieldNode,
  selectionSet: SelectionSetNode,
  typeName: string,
  times: number,
  total: { requests: number; nodes: number },
): void {
  const parent = scope.schema.getType(typeName);
  if (!isObjectType(parent) && !isInterfaceType(parent)) return;
  const type = getNamedType(parent.getFields()[field.name.value]?.type);
  if (!isCompositeType(type)) return;
  const size = type.name.endsWith('Connection') ? pageSize(scope, field) : undefined;
  if (size !== undefined) {
    total.requests += times;
    total.nodes += times * size;
  }
  walk(scope, selectionSet, type.name, times * (size ?? 1), total);
}

function pageSize({ variables }: Scope, field: FieldNode): number | undefined {
  for (const { name, value } of field.arguments ?? []) {
    if (name.value !== 'first' && name.value !== 'last') continue;
    if (value.kind === Kind.INT) return Number(value.value);
    if (value.kind !== Kind.VARIABLE) continue;
    const size = variables[value.name.value];
    if (typeof size === 'number') return size;
  }
  return undefined;
}
