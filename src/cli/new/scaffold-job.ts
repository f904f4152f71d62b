import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { z } from 'zod';
import { catalog } from '../../jobs/catalog.ts';
import { defineJob, type Lane } from '../../jobs/define-job.ts';
import { findDefinition } from '../../queue/find-definition.ts';
import { UsageError } from '../command/command-line.ts';
import { withJob } from './catalog-text.ts';
import { type JobNames, namesOf } from './job-names.ts';
import { definitionText, testText } from './job-templates.ts';
import { withRow } from './jobs-page-text.ts';

const catalogFile = 'src/jobs/catalog.ts';
const pageFile = 'docs/jobs.md';

/**
 * Writes the files of a new job kind, formatted as the others are.
 * @param root - folder of the repository
 * @returns the files that were written, and which of them is the test; from the root
 * @throws {UsageError} the type is malformed or taken; nothing is written
 */
export async function scaffoldJob(
  root: string,
  type: string,
  lane: Lane,
): Promise<{ files: string[]; test: string }> {
  const names = namesOf(type);
  await assertNew(root, names);
  const path = `src/jobs/${names.room}/${names.file}`;
  const read = async (file: string): Promise<string> => await readFile(join(root, file), 'utf8');
  const texts: Record<string, string> = {
    [`${path}.ts`]: definitionText(names, lane),
    [`${path}.test.ts`]: testText(names),
    [catalogFile]: withJob(await read(catalogFile), names),
    [pageFile]: withRow(await read(pageFile), { type, functionId: functionIdOf(type), lane }),
  };
  for (const [file, text] of Object.entries(texts)) await write(join(root, file), text);
  return { files: Object.keys(texts), test: `${path}.test.ts` };
}

async function assertNew(root: string, { type, room, file }: JobNames): Promise<void> {
  if (findDefinition(catalog, type)) throw new UsageError(`type: ${type} is in the catalog already`);
  const path = `src/jobs/${room}/${file}.ts`;
  const isThere = await access(join(root, path)).then(
    () => true,
    () => false,
  );
  if (isThere) throw new UsageError(`type: ${path} is there already`);
}

/** The default of every definition that names none. */
function functionIdOf(type: string): string {
  return defineJob({ type, payload: z.unknown(), run: () => Promise.resolve(null) }).functionId;
}

async function write(path: string, text: string): Promise<void> {
  const formatted = await format(text, { ...(await resolveConfig(path)), filepath: path });
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, formatted);
}
