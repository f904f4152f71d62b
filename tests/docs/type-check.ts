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
const ours = ts.parseJsonConfigFileContent(config, { ...ts.sys, readDirectory: () => [] }, root).options;

const options: ts.CompilerOptions = {
  ...ours,
  // As Vite resolves modules, which finds all that Node does.
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  jsx: ts.JsxEmit.ReactJSX,
  types: ['node', 'vite/client'],
  noUncheckedSideEffectImports: false,
  paths: { 'hybrid-jobs/job-monitor': [join(root, 'dashboard/src/job-monitor.tsx')] },
};

/**
 * Compiles all blocks as files of one program, where the pages say that they stand: a job in a room of `src/jobs`,
 * a component in the root.
 * @returns `docs/jobs.md:12: …` for each mistake
 */
export function typeErrors(blocks: readonly Block[]): string[] {
  const files = new Map(blocks.map((block, n) => [fileOf(block, n), block] as const));
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

function fileOf({ language }: Block, n: number): string {
  return join(root, language === 'tsx' ? '' : 'src/jobs/metrics', `of-the-docs-${n}.${language}`);
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
