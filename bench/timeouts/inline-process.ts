/** A function as it was written before there was a queue: it does all of the work, then it answers. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Work } from './workload.ts';

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { steps, stepMs } = JSON.parse(Buffer.concat(chunks).toString()) as Work;
    setTimeout(() => response.end('done'), steps * stepMs);
  });
});
server.listen(0, '127.0.0.1', () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.on('disconnect', () => process.exit(0));
