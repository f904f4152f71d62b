import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import type { Plugin } from 'vite';

/**
 * Declarations of a module and of those that its types come from, in the folder `types` of the build.
 * @param entry absolute path; its exports, and theirs, say their types (`isolatedDeclarations`)
 */
export function declarations(entry: string): Plugin {
  return {
    name: 'declarations',
    async generateBundle() {
      const paths = new Set([entry]);
      for (const path of paths) {
        const source = declarationOf(path, await readFile(path, 'utf8'));
        for (const imported of relativeImports(source)) paths.add(join(dirname(path), imported));
        const fileName = join('types', relative(dirname(entry), path).replace(/\.tsx?$/, '.d.ts'));
        this.emitFile({ type: 'asset', fileName, source: source.replaceAll(relativeImport, nameJavaScript) });
      }
    },
  };
}

const relativeImport = /(?<=from ')\.[^']+(?=')/g;

const relativeImports = (source: string): string[] => source.match(relativeImport) ?? [];

/** As a declaration is imported everywhere, whatever the compiler is told. */
const nameJavaScript = (path: string): string => path.replace(/\.tsx?$/, '.js');

function declarationOf(path: string, source: string): string {
  const { outputText, diagnostics = [] } = ts.transpileDeclaration(source, {
    fileName: path,
    reportDiagnostics: true,
    compilerOptions: { jsx: ts.JsxEmit.ReactJSX, isolatedDeclarations: true, verbatimModuleSyntax: true },
  });
  const [problem] = diagnostics;
  if (problem) throw new Error(`${path}: ${ts.flattenDiagnosticMessageText(problem.messageText, '\n')}`);
  // A style sheet has no types, and its loader is the build's.
  return outputText.replaceAll(/^import '.*';\n/gm, '');
}
