import type { JobNames } from './job-names.ts';

/**
 * The text of the catalog with one job more, the last of the list.
 * @throws {Error} the text is not what this command knows how to change, or has the identifier already
 */
export function withJob(text: string, { identifier, room, file }: JobNames): string {
  if (new RegExp(`\\b${identifier}\\b`).test(text))
    throw new Error(`src/jobs/catalog.ts has a ${identifier} already: expected a type with another name`);
  const imports = [...text.matchAll(/^import .*;$/gm)];
  const last = imports.at(-1);
  const list = /const definitions: readonly JobDefinition\[\] = \[[^\]]*(?=\];)/.exec(text);
  if (!last || !list)
    throw new Error(
      'src/jobs/catalog.ts: expected imports and a list named definitions, found something else',
    );
  const endOfImports = last.index + last[0].length;
  const endOfList = list.index + list[0].length;
  return [
    text.slice(0, endOfImports),
    `\nimport { ${identifier} } from './${room}/${file}.ts';`,
    text.slice(endOfImports, endOfList),
    `${identifier},\n`,
    text.slice(endOfList),
  ].join('');
}
