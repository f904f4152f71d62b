import { join } from 'node:path';
import ts from 'typescript';
import { root } from '../support/imports.ts';
import type { Block } from './pages.ts';

/** What the pages leave to the reader's own code. Declared behind a block that uses the name and does not declare it. */
const ofTheReader: Record<string, string> = {
  supabase: `import('@supabase/supabase-js').SupabaseClient`,
  inngest: `import('inngest').Inngest`,
  id: 'string',
  report: '(error: unknown) => Promise<void>',
  fetchStars: '(owner: string, repo: string) => Promise<number | null>',
};

const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (file) => ts.sys.readFile(file)) as {
  config: unknown;
};
const { options } = ts.parseJsonConfigFileContent(config, { ...ts.sys, readDirectory: () => [] }, root);

/**
 * Compiles the blocks as files of one program, in the place where the pages say that they stand: a room of `src/jobs`.
 * @returns `docs/jobs.md:12: …` for each mistake
 */
export function typeErrors(blocks: readonly Block[]): string[] {
  const files = new Map(
    blocks.map((block, n) => [join(root, `src/jobs/metrics/of-the-docs-${n}.ts`), block] as const),
  );
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (file) => files.has(file) || disk.fileExists(file),
    readFile: (file) => textOf(files.get(file)) ?? disk.readFile(file),
    getSourceFile: (file, settings) => {
      const text = textOf(files.get(file));
      return text === undefined
        ? disk.getSourceFile(file, settings)
        : ts.createSourceFile(file, text, settings);
    },
  };
  const program = ts.createProgram({ rootNames: [...files.keys()], options, host });
  return [...files].flatMap(([file, block]) => {
    const source = program.getSourceFile(file);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(
      ({ messageText }) => `${block.where}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    );
  });
}

/** What is wrong with the writing of a block; the dashboard's own tests compile an application that embeds it. */
export function syntaxErrors({ code, language }: Block): string[] {
  const { diagnostics } = ts.transpileModule(code, {
    compilerOptions: { jsx: ts.JsxEmit.ReactJSX },
    fileName: `block.${language}`,
    reportDiagnostics: true,
  });
  return (diagnostics ?? []).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

function textOf(block: Block | undefined): string | undefined {
  if (!block) return undefined;
  const missing = Object.entries(ofTheReader).filter(
    ([name]) =>
      new RegExp(`\\b${name}\\b`).test(block.code) && !new RegExp(`const {? ?${name}\\b`).test(block.code),
  );
  const declared = missing.map(([name, type]) => `declare const ${name}: ${type};\n`);
  return `${block.code}\n${declared.join('')}export {};\n`;
}
