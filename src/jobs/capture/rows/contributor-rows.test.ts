import { expect, it } from 'vitest';
import { ContributorRows } from './contributor-rows.ts';

const avatarOf = (avatarUrl: string): string | undefined => {
  const contributors = new ContributorRows();
  contributors.add({ id: 1, login: 'octocat', type: 'User', avatarUrl });
  return contributors.all()[0]?.avatar_url;
};

it.each([
  ['https://avatars.example/u/1?u=0123abc&v=4', 'https://avatars.example/u/1?v=4'],
  ['https://avatars.example/u/1?v=4', 'https://avatars.example/u/1?v=4'],
  // An installation of GitHub's own may give none.
  ['', ''],
])('the picture %j is stored as %j, whichever API told of it', (told, stored) => {
  expect(avatarOf(told)).toBe(stored);
});
