import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Import {
  /** As written. */
  specifier: string;
  /** Path from the repository's root for a relative import; the specifier itself for a package. */
  target: string;
  /** Nothing of it is left at run time. */
  typeOnly: boolean;
}

export interface SourceFile {
  /** From the repository's root. */
  path: string;
  lines: number;
  imports: Import[];
  /** Which of the runtimes' own globals it touches: `process.env`, `Deno`. */
  globals: string[];
}

/** The TypeScript files below `folder` that are shipped: no tests, no declarations. */
export function productFiles(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /(?<!\.test|\.d)\.ts$/.test(file))
    .sort()
    .map((file) => readSource(join(folder, file)));
}

export function readSource(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8');
  const file: SourceFile = { path, lines: text.trimEnd().split('\n').length, imports: [], globals: [] };
  collect(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true), file);
  return file;
}

function collect(node: ts.Node, file: SourceFile): void {
  const found = importedBy(node);
  if (found) file.imports.push({ ...found, target: targetOf(file.path, found.specifier) });
  if (ts.isPropertyAccessExpression(node)) {
    const name = node.getText().replaceAll('?.', '.');
    if (name === 'process.env') file.globals.push('process.env');
    if (node.expression.getText() === 'Deno') file.globals.push('Deno');
  }
  ts.forEachChild(node, (child) => collect(child, file));
}

function importedBy(node: ts.Node): Omit<Import, 'target'> | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    const { moduleSpecifier } = node;
    if (!moduleSpecifier || !ts.isStringLiteral(moduleSpecifier)) return undefined;
    return { specifier: moduleSpecifier.text, typeOnly: isTypeOnly(node) };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [specifier] = node.arguments;
    return specifier && ts.isStringLiteral(specifier)
      ? { specifier: specifier.text, typeOnly: false }
      : undefined;
  }
  return undefined;
}

function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  const clause = node.importClause;
  if (!clause || clause.name) return clause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { namedBindings } = clause;
  if (!namedBindings || !ts.isNamedImports(namedBindings)) return false;
  return namedBindings.elements.every((element) => element.isTypeOnly);
}

function targetOf(from: string, specifier: string): string {
  return specifier.startsWith('.') ? relative(root, resolve(root, dirname(from), specifier)) : specifier;
}
