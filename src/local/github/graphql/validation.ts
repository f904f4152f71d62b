import {
  type ASTNode,
  type ASTVisitor,
  FieldsOnCorrectTypeRule,
  getNamedType,
  GraphQLError,
  isCompositeType,
  isRequiredArgument,
  Kind,
  KnownArgumentNamesRule,
  ProvidedRequiredArgumentsRule,
  ScalarLeafsRule,
  specifiedRules,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';

type Ancestors = readonly (ASTNode | readonly ASTNode[])[];

/** The specification's rules, with GitHub's own wording and error codes for the mistakes that people make. */
export const gitHubRules: readonly ValidationRule[] = [
  ...specifiedRules.filter(
    (rule) =>
      rule !== FieldsOnCorrectTypeRule &&
      rule !== KnownArgumentNamesRule &&
      rule !== ProvidedRequiredArgumentsRule &&
      rule !== ScalarLeafsRule,
  ),
  undefinedField,
  undefinedArgument,
  missingArgument,
  selectionMismatch,
];

function undefinedField(context: ValidationContext): ASTVisitor {
  return {
    Field(node, _key, _parent, _path, ancestors) {
      const type = context.getParentType();
      if (!type || context.getFieldDef()) return;
      report(context, node, ancestors, `Field '${node.name.value}' doesn't exist on type '${type.name}'`, {
        code: 'undefinedField',
        typeName: type.name,
        fieldName: node.name.value,
      });
    },
  };
}

function undefinedArgument(context: ValidationContext): ASTVisitor {
  return {
    Field(node, _key, _parent, _path, ancestors) {
      const known = context.getFieldDef()?.args;
      if (!known) return;
      for (const argument of node.arguments ?? []) {
        const name = argument.name.value;
        if (known.some((each) => each.name === name)) continue;
        const message = `Field '${node.name.value}' doesn't accept argument '${name}'`;
        const path = [...responsePath(ancestors), responseName(node), name];
        const extensions = {
          code: 'argumentNotAccepted',
          name: node.name.value,
          typeName: 'Field',
          argumentName: name,
        };
        context.reportError(new GraphQLError(message, { nodes: argument, path, extensions }));
      }
    },
  };
}

function missingArgument(context: ValidationContext): ASTVisitor {
  return {
    Field(node, _key, _parent, _path, ancestors) {
      const given = new Set(node.arguments?.map((argument) => argument.name.value));
      const missing = (context.getFieldDef()?.args ?? [])
        .filter((argument) => isRequiredArgument(argument) && !given.has(argument.name))
        .map((argument) => argument.name)
        .join(', ');
      if (missing === '') return;
      const message = `Field '${node.name.value}' is missing required arguments: ${missing}`;
      report(context, node, ancestors, message, {
        code: 'missingRequiredArguments',
        className: 'Field',
        name: node.name.value,
        arguments: missing,
      });
    },
  };
}

function selectionMismatch(context: ValidationContext): ASTVisitor {
  return {
    Field(node, _key, _parent, _path, ancestors) {
      const type = getNamedType(context.getType());
      if (!type || isCompositeType(type) === (node.selectionSet !== undefined)) return;
      const name = node.name.value;
      const message = node.selectionSet
        ? `Selections can't be made on scalars (field '${name}' returns ${type.name} but has selections)`
        : `Field must have selections (field '${name}' returns ${type.name} but has no selections. Did you mean '${name} { ... }'?)`;
      report(context, node, ancestors, message, {
        code: 'selectionMismatch',
        nodeName: `field '${name}'`,
        typeName: type.name,
      });
    },
  };
}

function report(
  context: ValidationContext,
  node: Extract<ASTNode, { kind: Kind.FIELD }>,
  ancestors: Ancestors,
  message: string,
  extensions: Record<string, string>,
): void {
  const path = [...responsePath(ancestors), responseName(node)];
  context.reportError(new GraphQLError(message, { nodes: node, path, extensions }));
}

/** For example `['query', 'repository', 'pullRequests']`, or `['query Name', …]` for a named query. */
function responsePath(ancestors: Ancestors): string[] {
  return ancestors.flatMap((ancestor) => {
    if (!('kind' in ancestor)) return [];
    if (ancestor.kind === Kind.FIELD) return [responseName(ancestor)];
    if (ancestor.kind === Kind.FRAGMENT_DEFINITION) return [`fragment ${ancestor.name.value}`];
    if (ancestor.kind === Kind.INLINE_FRAGMENT) return [`... on ${ancestor.typeCondition?.name.value ?? ''}`];
    if (ancestor.kind !== Kind.OPERATION_DEFINITION) return [];
    return [ancestor.name ? `${ancestor.operation} ${ancestor.name.value}` : ancestor.operation];
  });
}

function responseName(field: Extract<ASTNode, { kind: Kind.FIELD }>): string {
  return field.alias?.value ?? field.name.value;
}
