import { expect, test } from 'vitest';
import { href, parseRoute } from './route.ts';

test('a place survives the way into the address and back', () => {
  const target = href(['jobs'], { type: 'capture/pr.details', text: 'a & b = 100 %', lane: undefined });
  const { path, search } = parseRoute(target);
  expect([path, Object.fromEntries(search)]).toEqual([
    ['jobs'],
    { type: 'capture/pr.details', text: 'a & b = 100 %' },
  ]);
});

test.each(['', '#', '#/', '#token_hash=abc', '#access_token=abc'])('%j is the overview', (hash) => {
  expect(parseRoute(hash).path).toEqual([]);
});

test('a malformed escape does not blank the page', () => {
  expect(parseRoute('#/jobs/%zz').path).toEqual(['jobs', '%zz']);
});
