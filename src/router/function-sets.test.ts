import { expect, it } from 'vitest';
import { catalog } from '../jobs/catalog.ts';
import { coreSet, embeddingsSet, type FunctionSet, hybridSet, localSet, servedBy } from './function-sets.ts';

const idsOf = (set: FunctionSet, isSplit = false): string[] =>
  servedBy(set, catalog, isSplit).map(({ functionId }) => functionId);

it('every function of the core set is in the catalog', () => {
  expect(idsOf(coreSet).sort()).toEqual([...coreSet.functionIds].sort());
});

it('the other endpoints serve all functions', () => {
  for (const set of [hybridSet, localSet]) expect(servedBy(set, catalog, false)).toEqual(catalog);
});

it('the embeddings endpoint serves embeddings and workspaces, which are eleven functions', () => {
  const embeddings = [
    'compute-embeddings',
    'handle-issue-embedding-webhook',
    'handle-pr-embedding-webhook',
    'handle-batch-embedding-webhook',
    'handle-similarity-recalculation',
    'generate-embeddings',
    'batch-generate-embeddings',
  ];
  const workspaces = [
    'aggregate-workspace-metrics',
    'scheduled-workspace-aggregation',
    'handle-workspace-repository-change',
    'cleanup-workspace-metrics-data',
  ];
  const expected = [...embeddings, ...workspaces];
  expect(idsOf(embeddingsSet).sort()).toEqual(expected.sort());
});

it('the hybrid endpoint leaves out what the embeddings endpoint serves, and nothing else, once that is switched on', () => {
  expect(new Set([...idsOf(hybridSet, true), ...idsOf(embeddingsSet, true)]).size).toBe(catalog.length);
  expect(idsOf(hybridSet, true).length + idsOf(embeddingsSet, true).length).toBe(catalog.length);
  expect(idsOf(localSet, true)).toEqual(idsOf(localSet));
  expect(idsOf(coreSet, true)).toEqual(idsOf(coreSet));
});

it('no two endpoints share an app id, and no two functions an id', () => {
  const sets = [hybridSet, embeddingsSet, localSet, coreSet];
  expect(new Set(sets.map(({ appId }) => appId)).size).toBe(sets.length);
  expect(new Set(catalog.map(({ functionId }) => functionId)).size).toBe(catalog.length);
});
