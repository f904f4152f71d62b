import type { Fault } from '../fault.ts';
import { signal } from '../system/signal.ts';
import type { System } from '../system/system.ts';

interface Victim {
  name: string;
  what: string;
  lane?: Fault['lane'];
  quick: number;
  kill: (system: System, n: number) => unknown;
}

const victims: readonly Victim[] = [
  {
    name: 'worker',
    what: 'one of two workers',
    lane: 'worker',
    quick: 0,
    kill: ({ workers }, n) => workers[n % workers.length]?.kill('SIGKILL'),
  },
  {
    name: 'deno',
    what: '`process-job` in Deno',
    lane: 'edge',
    quick: 1,
    kill: ({ isolates }) => isolates().forEach((pid) => signal(pid, 'SIGKILL')),
  },
  {
    name: 'gateway',
    what: 'the gateway, and with it Deno',
    lane: 'edge',
    quick: 0,
    kill: ({ gateway }) => gateway.kill('SIGKILL'),
  },
  {
    name: 'netlify',
    what: 'the Netlify process',
    lane: 'inline',
    quick: 0,
    kill: ({ netlify }) => netlify.kill('SIGKILL'),
  },
  {
    name: 'postgres',
    what: 'Postgres and all of its backends; it starts again and recovers from its log',
    quick: 1,
    kill: crash,
  },
];

/** kill -9 of processes, at any moment. Their host starts them again. */
export const killedProcesses: readonly Fault[] = victims.map(({ name, what, lane, quick, kill }) => ({
  name: `killed-${name}`,
  what: `kill -9 of ${what}, at any moment`,
  strikes: { full: 5, quick },
  ...(lane ? { lane } : {}),
  async strike(system, _random, n) {
    await kill(system, n);
  },
}));

async function crash({ server, proxy }: System): Promise<void> {
  await server.crash();
  proxy.target(server.port());
}
