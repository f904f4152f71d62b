#!/usr/bin/env node
// Runs the command on a Node that reads TypeScript: this one, or the one that npm installed beside it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../src/cli/jobs.ts', import.meta.url));
const installed = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
const [major, minor] = process.versions.node.split('.').map(Number);

if (major > 22 || (major === 22 && minor >= 18)) await import(entry);
else if (existsSync(installed)) runOn(installed);
else {
  process.stderr.write(
    `hybrid-jobs: expected Node 22.18 or newer, got ${process.versions.node}. Run npm install in its folder, which brings one, or install it.\n`,
  );
  process.exitCode = 1;
}

function runOn(node) {
  const child = spawn(node, [entry, ...process.argv.slice(2)], { stdio: 'inherit' });
  // The terminal tells the child, too; other senders know only this process.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
  });
}
