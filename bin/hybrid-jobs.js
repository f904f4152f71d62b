#!/usr/bin/env node
// Runs the command on a Node that reads TypeScript: this one, or the one that npm installed beside it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
// Not by name: older ones, which only pass on, lack enableCompileCache.
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);
const installed = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
const [major, minor] = process.versions.node.split('.').map(Number);

if (major > 22 || (major === 22 && minor >= 18)) {
  // From the second start on, a third of the time: nothing is stripped of its types and compiled again.
  nodeModule.enableCompileCache();
  await import('../src/cli/jobs.ts');
} else if (existsSync(installed)) runOn(installed);
else {
  process.stderr.write(
    `hybrid-jobs: expected Node 22.18 or newer, got ${process.versions.node}. Run npm install in its folder, which brings one, or install it.\n`,
  );
  process.exitCode = 1;
}

function runOn(node) {
  const child = spawn(node, [self, ...process.argv.slice(2)], { stdio: 'inherit' });
  // The terminal tells the child, too; other senders know only this process.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
  });
}
