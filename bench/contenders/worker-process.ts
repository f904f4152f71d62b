import { monotonicMs } from '../measure.ts';
import { contenders } from './contenders.ts';
import type { WorkerReport } from './worker.ts';

/** One worker of a contender, in a process of its own: `worker-process.ts <contender> <database URL> [times]`. */

/** How often the parent is told what ran, in milliseconds. */
const reportMs = 5;

const [name, databaseUrl = '', mode] = process.argv.slice(2);
const contender = contenders.find((one) => one.name === name);
if (!contender) throw new Error(`expected a contender, got ${name}`);

const news: WorkerReport = { ran: 0, sum: 0, starts: [] };
const worker = await contender.startWorker(databaseUrl, ({ n }) => {
  news.ran += 1;
  news.sum += n;
  // Costs CPU that a drain would be charged for.
  if (mode === 'times') news.starts.push([n, monotonicMs()]);
});
const timer = setInterval(() => {
  if (news.ran === 0) return;
  process.send?.(news);
  Object.assign(news, { ran: 0, sum: 0, starts: [] });
}, reportMs);
process.send?.(news);

process.once('message', () => {
  clearInterval(timer);
  void worker.stop().then(() => process.disconnect());
});

// Its parent is gone, or has heard all: nobody wants what would still come.
process.once('disconnect', () => process.exit());
