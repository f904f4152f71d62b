import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** These ask for their notice, and for nothing else (SPDX identifiers). */
const permissive = new Set(
  'MIT ISC 0BSD BSD-2-Clause BSD-3-Clause Apache-2.0 BlueOak-1.0.0 CC0-1.0 Python-2.0'.split(' '),
);

/**
 * Image codecs that the local embedding model brings along, as shared libraries that we neither change nor ship; only an
 * always-on worker with a local model installs them.
 */
const explained = /^node_modules\/@img\/sharp-/;

interface LockedPackage {
  license?: string;
  dev?: boolean;
}

const { packages } = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')) as {
  packages: Record<string, LockedPackage>;
};
const deployed = Object.entries(packages).filter(([path, { dev }]) => path !== '' && !dev);

/** `(MIT OR GPL-3.0)` is a choice; `MIT AND GPL-3.0` is not. */
function isPermissive(licence: string | undefined): boolean {
  const choices = (licence ?? '').replaceAll(/[()]/g, '').split(' OR ');
  return choices.some((choice) => choice.split(' AND ').every((id) => permissive.has(id)));
}

test('what is deployed is under permissive licences', () => {
  expect(deployed.length).toBeGreaterThan(100);
  const others = deployed.filter(([path, { license }]) => !isPermissive(license) && !explained.test(path));
  expect(others.map(([path, { license }]) => `${path}: ${license ?? 'no licence'}`)).toEqual([]);
});

test.each([
  ['MIT', true],
  ['(MIT OR GPL-3.0-only)', true],
  ['Apache-2.0 AND LGPL-3.0-or-later', false],
  ['AGPL-3.0-only', false],
  [undefined, false],
])('%s: %s', (licence, expected) => {
  expect(isPermissive(licence)).toBe(expected);
});
