import type { Fault } from '../fault.ts';

export const wipedWakes: Fault = {
  name: 'wiped-wakes',
  what: 'the rows by which isolates are woken and workers are known are deleted, and nobody is rung for',
  strikes: { full: 3, quick: 0 },
  async strike(system) {
    await system.pool().query('delete from background_job_wakes; delete from background_job_workers');
  },
};
