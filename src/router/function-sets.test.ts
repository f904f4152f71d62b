import { expect, it } from 'vitest';
import { catalog } from '../jobs/catalog.ts';
import { coreSet, hybridSet, localSet, servedBy } from './function-sets.ts';

it('every function of the core set is in the catalog', () => {
  const served = servedBy(coreSet, catalog).map(({ functionId }) => functionId);
  expect(served.sort()).toEqual([...coreSet.functionIds].sort());
});

it('the other endpoints serve all functions', () => {
  for (const set of [hybridSet, localSet]) expect(servedBy(set, catalog)).toEqual(catalog);
});

it('no two endpoints share an app id, and no two functions an id', () => {
  const sets = [hybridSet, localSet, coreSet];
  expect(new Set(sets.map(({ appId }) => appId)).size).toBe(sets.length);
  expect(new Set(catalog.map(({ functionId }) => functionId)).size).toBe(catalog.length);
});
