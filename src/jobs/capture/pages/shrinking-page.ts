import type { GitHub } from '../../../github/github.ts';
import { QueryTooLargeError } from '../../outcomes.ts';
import type { JobContext } from '../../job-context.ts';

/** After so many good pages the next one is twice as large again: the trouble may have been GitHub's, and have passed. */
const pagesUntilGrowth = 20;

type Answer<Captured> = { githubRequests: number; captured: Captured | 'too large' };

/**
 * The pages of one GraphQL query, which get smaller where GitHub refuses them for their size or runs out of time.
 *
 * Each request is a step of its own, a refused one too: a step lasts no longer than one request may, and a run that is
 * entered again finds the size that worked in its checkpoints. From size 100 there are at most seven requests for a page.
 */
export class ShrinkingPage {
  readonly #ctx: JobContext<unknown>;
  readonly #largest: number;
  readonly #open: () => Promise<GitHub>;
  #size: number;
  #goodPages = 0;

  /**
   * @param size - of the first page, and the largest of all
   * @param open - whom to ask, within each step. Default: the job's GitHub
   */
  constructor(ctx: JobContext<unknown>, size: number, open = () => Promise.resolve(ctx.github)) {
    this.#ctx = ctx;
    this.#open = open;
    this.#largest = size;
    this.#size = size;
  }

  /**
   * Runs `capture` as a step with the size that worked last; where that is too large, with half of it, down to 1.
   *
   * @param name - of the step; a smaller page adds its size
   * @param capture - fetches and stores a page of so many entries
   * @returns what was captured (JSON), and the requests for it, refused ones included
   * @throws {QueryTooLargeError} even a page of 1 is too large; the queue tries it again later
   */
  async step<Captured extends object>(
    name: string,
    capture: (size: number, github: GitHub) => Promise<Captured>,
  ): Promise<Captured & { githubRequests: number }> {
    let stepName = name;
    for (let githubRequests = 0; ; stepName = `${name}, by ${this.#size}`) {
      const size = this.#size;
      const answer = await this.#ctx.step(stepName, () => this.#ask(size, capture));
      githubRequests += answer.githubRequests;
      this.#noteAnswer(answer);
      if (answer.captured !== 'too large') return { ...answer.captured, githubRequests };
    }
  }

  async #ask<Captured>(
    size: number,
    capture: (size: number, github: GitHub) => Promise<Captured>,
  ): Promise<Answer<Captured>> {
    const { log, signal } = this.#ctx;
    const github = (await this.#open()).withSignal(signal);
    try {
      return { captured: await capture(size, github), githubRequests: github.requestCount };
    } catch (error) {
      if (!(error instanceof QueryTooLargeError) || size === 1) throw error;
      log.info({ size, reason: error.message }, 'GitHub could not give a page of this size');
      return { captured: 'too large', githubRequests: github.requestCount };
    }
  }

  #noteAnswer({ captured }: Answer<unknown>): void {
    this.#goodPages = captured === 'too large' ? 0 : this.#goodPages + 1;
    if (captured === 'too large') this.#size = Math.floor(this.#size / 2);
    else if (this.#goodPages % pagesUntilGrowth === 0) this.#size = Math.min(this.#largest, this.#size * 2);
  }
}
