import { readFile, readdir } from 'node:fs/promises';
import type pg from 'pg';

/** Of /proc/<pid>/stat: clock ticks per second, on every Linux that Node runs on. */
const ticksPerSecond = 100;

interface ProcessTimes {
  parent: number;
  /** In milliseconds: its own, and that of the children that have ended. */
  own: number;
  ended: number;
}

/** CPU time of a process since its start, in milliseconds; steps of 10 ms. */
export async function processCpuMs(pid: number): Promise<number> {
  return (await processTimes(pid)).own;
}

/** CPU time of the server and all of its processes since its start, in milliseconds. */
export async function postgresCpuMs(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid');
  const { parent: server } = await processTimes(rows[0]?.pid ?? NaN);
  const { own, ended } = await processTimes(server);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  // One that ends while it is being read is counted by its parent the next time.
  const all = await Promise.allSettled(pids.map(processTimes));
  const alive = all.flatMap((one) =>
    one.status === 'fulfilled' && one.value.parent === server ? [one.value.own] : [],
  );
  return alive.reduce((sum, one) => sum + one, own + ended);
}

async function processTimes(pid: number): Promise<ProcessTimes> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The second field, the name, may hold spaces and brackets: the rest begins behind its last bracket.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [parent = NaN, user = NaN, system = NaN, endedUser = NaN, endedSystem = NaN] = [
    1, 11, 12, 13, 14,
  ].map((at) => fields[at]);
  const ms = (ticks: number): number => (ticks * 1000) / ticksPerSecond;
  return { parent, own: ms(user + system), ended: ms(endedUser + endedSystem) };
}
