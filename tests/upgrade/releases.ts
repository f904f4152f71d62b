import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

const migrations = new URL('../../supabase/migrations/', import.meta.url);

/**
 * States of the schema that databases out there may be in, by their newest migration. A release adds a line; its digest
 * is what `digestUpTo` gives. A line never changes, for neither may a migration that was released.
 */
export const releases: readonly { version: string; digest: string }[] = [
  { version: '20261122000300', digest: '6030e12288a98a86c30740daa224013e29f52ee4258eb7f7ba717e1addf7b874' },
  { version: '20261122000552', digest: '5a93e8b604893babf37b354e1ece2ef6ceb0ab94a13c2aade63b33b7fea3df52' },
  { version: '20261122000643', digest: '0fb11faad7c19a2abc4a5c0e2636e263a839958b313ce61d9cff554988304717' },
  { version: '20261122000750', digest: '7fc3974032502c49f1eb8efe3d314adacf3f8eb88e2c507752fb09b6242f62e4' },
  { version: '20261122000793', digest: '9e11c450bf2e8e75d81313ec44dd6a9f398cd412de8472c353f62386965afa80' },
  { version: '20261122000813', digest: 'c0c376f61a3edc7ea7980abd2214e05e344a0fbcac6f4df015e39654db32365b' },
  { version: '20261122000912', digest: '35b966a89fc1b9046428d2e936fcd7a3bd87ac4ecdc7f1d02d8b112c8bb8f89d' },
  { version: '20261122000921', digest: '000db6e7d503f8a5b244958d346e893c8eec9446ca4a41e3a290ad134d2a5f63' },
  { version: '20261122000932', digest: 'a9fb496dc70f90a9f1518fcae191b71dd5bc243eac46e0c509dadfc642f02b95' },
  { version: '20261122000950', digest: '2cdf0da1429f987230d3f1ca55ba8e6845e8557162ac2a67b0a602fd45e7b644' },
  { version: '20261122000961', digest: 'cd91ab998226f5ffb3fb7e00ca591e8cc759cfe0c8dca536d03c4612b86d2230' },
];

/** The files of the migrations up to and with this version, in their order. */
export function filesUpTo(version: string): string[] {
  const files = readdirSync(migrations).filter((file) => file.endsWith('.sql'));
  return files.filter((file) => file.slice(0, version.length) <= version).sort();
}

/** SHA-256 over names and contents of the migrations up to this version. */
export function digestUpTo(version: string): string {
  const hash = createHash('sha256');
  for (const file of filesUpTo(version)) hash.update(file).update(readFileSync(new URL(file, migrations)));
  return hash.digest('hex');
}
