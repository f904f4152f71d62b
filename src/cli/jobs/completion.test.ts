import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { runJobs } from '../../../tests/support/jobs-command.ts';

/** What bash offers after these words, the last of which is being typed. */
async function offered(...words: string[]): Promise<string[]> {
  const { output } = await runJobs(['completion', 'bash']);
  const script = `${output}
    COMP_WORDS=(hybrid-jobs ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}
    _hybrid_jobs; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await promisify(execFile)('bash', ['-euc', script]);
  return stdout.trim().split('\n');
}

it('completes commands, types, flags and subcommands in bash', async () => {
  expect(await offered('re')).toEqual(['retry', 'redrive', 'resume']);
  expect(await offered('enqueue', 'system/p')).toEqual(['system/ping']);
  expect(await offered('list', '--st')).toEqual(['--status']);
  expect(await offered('schedule', 'p')).toEqual(['pause']);
  expect(await offered('completion', 'z')).toEqual(['zsh']);
});

it('gives zsh the same through its emulation, and fish its own lines', async () => {
  const { output: zsh } = await runJobs(['completion', 'zsh']);
  expect(zsh).toMatch(/bashcompinit\n_hybrid_jobs\(\)/);
  const { output: fish } = await runJobs(['completion', 'fish']);
  expect(fish).toContain("-n '__fish_seen_subcommand_from list' -l status");
  expect(fish.split('\n').every((line) => line.startsWith('complete -c hybrid-jobs '))).toBe(true);
});
