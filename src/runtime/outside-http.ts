import type { OutsideHttp } from '../jobs/job-context.ts';
import { pinnedPost } from './pinned-post.ts';

/** The host's own `fetch`, and its resolver, which Node and Deno share. It is loaded when a job first asks for it. */
export function createOutsideHttp(): OutsideHttp {
  return {
    fetch: (input, init) => fetch(input, init),
    postTo: pinnedPost,
    async resolve(host) {
      const { lookup } = await import('node:dns/promises');
      return (await lookup(host, { all: true })).map(({ address }) => address);
    },
  };
}
