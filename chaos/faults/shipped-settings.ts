import type { Fault } from '../fault.ts';
import { signal } from '../system/signal.ts';

export const shippedSettings: Fault = {
  name: 'shipped-settings',
  what: 'kill -9 of a worker and of Deno at the same time, with the leases that the product has by default',
  strikes: { full: 3, quick: 0 },
  needs: 'shipped settings',
  strike({ workers, isolates }, random) {
    random.pick(workers).kill('SIGKILL');
    isolates().forEach((pid) => signal(pid, 'SIGKILL'));
    return Promise.resolve();
  },
};
