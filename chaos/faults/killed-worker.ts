import type { Fault } from '../fault.ts';

export const killedWorker: Fault = {
  name: 'killed worker',
  what: 'kill -9 of one of two workers, at any moment',
  strikes: { full: 10, quick: 1 },
  strike(system, random) {
    random.pick(system.workers).kill('SIGKILL');
    return Promise.resolve();
  },
};
